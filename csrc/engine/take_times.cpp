// The awake half of the loop's wait, and nothing else of it.
#include "engine/take_times.h"

#include "base/clock.h"
#include "base/thread.h"

namespace fastpose {
namespace {

constexpr std::int64_t patience_ns = 10'000'000'000;

// -1: the camera is silent.
int next(Ring& ring) noexcept {
    const std::int64_t end_ns = now_ns() + patience_ns;
    while (!ring.frame_waits() && now_ns() < end_ns) relax_core();
    return ring.take(0);
}

}  // namespace

std::vector<std::int64_t> take_times(Ring& ring, int frames) {
    std::vector<std::int64_t> taken_ns;
    taken_ns.reserve(static_cast<std::size_t>(frames));
    while (taken_ns.size() < static_cast<std::size_t>(frames)) {
        const int slot = next(ring);
        if (slot < 0) break;
        taken_ns.push_back(now_ns());
        ring.release(slot);
    }
    return taken_ns;
}

}  // namespace fastpose
