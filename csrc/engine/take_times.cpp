// The loop's wait, and nothing else of it.
#include "engine/take_times.h"

#include "base/clock.h"
#include "engine/frame_wait.h"

namespace fastpose {
namespace {

constexpr std::int64_t look_again_ns = 100'000'000, patience_ns = 10'000'000'000;

// -1: the camera is silent.
int next(FrameWait& wait) noexcept {
    const std::int64_t end_ns = now_ns() + patience_ns;
    int slot = -1;
    while (slot < 0 && now_ns() < end_ns) slot = wait.take(look_again_ns);
    return slot;
}

}  // namespace

std::vector<std::int64_t> take_times(Ring& ring, int frames, std::int64_t spin_ns) {
    FrameWait wait(ring);
    wait.allow_spin(spin_ns);
    std::vector<std::int64_t> taken_ns;
    taken_ns.reserve(static_cast<std::size_t>(frames));
    while (taken_ns.size() < static_cast<std::size_t>(frames)) {
        const int slot = next(wait);
        if (slot < 0) break;
        taken_ns.push_back(now_ns());
        wait.note_received(ring.meta(slot).received_ns);
        ring.release(slot);
    }
    return taken_ns;
}

}  // namespace fastpose
