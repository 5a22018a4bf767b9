// SharedEvent where there is no futex: polls, which costs up to a quarter of a millisecond per hand-off.
#include <algorithm>
#include <chrono>
#include <thread>

#include "base/shared_event.h"

namespace fastpose {

void SharedEvent::wait(std::uint32_t ticket, std::int64_t timeout_ns) noexcept {
    const std::int64_t deadline = now_ns() + timeout_ns;
    while (sequence_.load(std::memory_order_acquire) == ticket && now_ns() < deadline)
        std::this_thread::sleep_for(std::chrono::microseconds(250));
}

void SharedEvent::notify() noexcept { sequence_.fetch_add(1); }

}  // namespace fastpose
