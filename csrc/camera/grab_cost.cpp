// Plays the engine's grabber and its loop around one camera.
#include "camera/grab_cost.h"

#include <algorithm>
#include <atomic>
#include <thread>

#include "base/clock.h"

namespace fastpose {
namespace {

constexpr std::int64_t ns_per_s = 1'000'000'000;
constexpr std::int64_t wait_ns = 100'000'000;

class Run {
  public:
    Run(Camera& camera, Ring& ring, int frames) : camera_(camera), ring_(ring), wanted_(frames) {
        cost_.queued_ns.reserve(static_cast<std::size_t>(frames));
        cost_.live_ns.reserve(static_cast<std::size_t>(frames));
        lent_.reserve(static_cast<std::size_t>(ring.spec().slots));
    }

    GrabCost measure() {
        lend();
        camera_.arm();
        take_queued();
        take_live();
        camera_.disarm();
        for (const int slot : lent_) ring_.release(slot);
        return std::move(cost_);
    }

  private:
    void lend() noexcept {
        while (static_cast<int>(lent_.size()) < std::max(camera_.depth(), 1)) {
            const int slot = ring_.acquire(0);
            if (slot < 0) return;
            lent_.push_back(slot);
            camera_.lend(slot, ring_.buffer(slot));
        }
    }

    // Publishes the next frame; false: there was none within the time.
    bool pass_on(std::int64_t timeout_ns) noexcept {
        FrameMeta meta;
        const Grab grab = camera_.grab(meta, timeout_ns);
        if (grab.slot >= 0) std::erase(lent_, grab.slot);
        if (grab.status == GrabStatus::failed) {
            ++cost_.failed;
            if (grab.slot >= 0) ring_.release(grab.slot);
        }
        if (grab.status != GrabStatus::frame) return false;
        ring_.publish(grab.slot, meta);
        return true;
    }

    // The library is left alone until a frame is due, and no call waits for one.
    void take_queued() noexcept {
        const auto period_ns = static_cast<std::int64_t>(1e9 / std::max(camera_.info().rate_hz, 1.0));
        const std::int64_t end_ns = now_ns() + wanted_ * 2 * period_ns + ns_per_s;
        while (static_cast<int>(cost_.queued_ns.size()) < wanted_ && now_ns() < end_ns) {
            sleep_until_ns(now_ns() + period_ns + period_ns / 4);
            lend();
            const std::int64_t called_ns = now_ns();
            if (!pass_on(0)) continue;
            const int slot = ring_.take(wait_ns);
            if (slot < 0) continue;
            cost_.queued_ns.push_back(now_ns() - called_ns);
            ring_.release(slot);
        }
    }

    void loop() noexcept {
        while (!done_.load() || ring_.frame_waits()) {
            const int slot = ring_.take(wait_ns);
            const std::int64_t dequeued_ns = now_ns();
            if (slot < 0) continue;
            cost_.live_ns.push_back(dequeued_ns - ring_.meta(slot).received_ns);
            ring_.release(slot);
        }
    }

    void take_live() {
        while (drop_one()) {
        }  // what waits since the last measurement
        std::thread loop([this] { this->loop(); });
        for (std::int64_t last_ns = now_ns(), n = 0; n < wanted_ && now_ns() - last_ns < ns_per_s;) {
            lend();
            if (!pass_on(wait_ns)) continue;
            last_ns = now_ns();
            ++n;
        }
        done_.store(true);
        ring_.wake();
        loop.join();
    }

    bool drop_one() noexcept {
        FrameMeta meta;
        const Grab grab = camera_.grab(meta, 0);
        if (grab.slot < 0) return false;
        std::erase(lent_, grab.slot);
        ring_.release(grab.slot);
        return true;
    }

    Camera& camera_;
    Ring& ring_;
    int wanted_;
    GrabCost cost_;
    std::vector<int> lent_;
    std::atomic<bool> done_{false};
};

}  // namespace

GrabCost measure_grab_cost(Camera& camera, Ring& ring, int frames) {
    return Run(camera, ring, frames).measure();
}

}  // namespace fastpose
