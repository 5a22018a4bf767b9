// Host clocks by std::chrono; std::chrono::steady_clock is CLOCK_MONOTONIC on Linux.
#include "base/clock.h"

#include <chrono>
#include <thread>

namespace fastpose {

namespace chrono = std::chrono;

std::int64_t now_ns() noexcept {
    return chrono::duration_cast<chrono::nanoseconds>(chrono::steady_clock::now().time_since_epoch()).count();
}

std::int64_t wall_clock_ns() noexcept {
    return chrono::duration_cast<chrono::nanoseconds>(chrono::system_clock::now().time_since_epoch()).count();
}

void sleep_until_ns(std::int64_t deadline_ns) noexcept {
    const auto deadline = chrono::steady_clock::time_point(
        chrono::duration_cast<chrono::steady_clock::duration>(chrono::nanoseconds(deadline_ns)));
    std::this_thread::sleep_until(deadline);
}

}  // namespace fastpose
