// The priority of the loop's thread over a session: real-time for as long as its work leaves the kernel its
// share.
#pragma once
#include <atomic>
#include <cstdint>

#include "base/thread.h"
#include "engine/loop_duty.h"

namespace fastpose {

enum class Fifo : int {
    not_asked = 0,
    refused,      // by the system
    over_budget,  // the work fills what the kernel leaves to real-time threads
    granted
};

// What became of it. Times in ns, shares 0-1 of a core.
struct LoopTiming {
    Fifo fifo = Fifo::not_asked;
    int left = 0;                       // times that SCHED_FIFO was left during the session
    std::int64_t warm_up_work_ns = 0;   // of the networks for one frame, before the first one
    double expected_share = 0;          // of the core, from it and the camera's rate
    double share = 0, most_share = 0;   // in the last quarter of a second, and the most measured
    std::int64_t frames = 0, spun = 0;  // frames taken, and those of them that came while the loop spun
    std::int64_t spin_ns = 0;           // allowed for a frame, at the end
};

// Thread-bound to the loop, but for timing().
class LoopPriority {
  public:
    // priority 0: SCHED_FIFO is not asked for.
    LoopPriority(int priority, const RealtimeLimits& limits) noexcept
        : priority_(priority), duty_(limits.budget()) {}

    // On the loop's thread, before the first frame; period_ns 0: not known.
    void start(std::int64_t work_ns, std::int64_t period_ns) noexcept;
    // A frame was worked on from begin_ns to end_ns, after the loop spun for spun_ns.
    void after_frame(std::int64_t begin_ns, std::int64_t end_ns, std::int64_t spun_ns, bool caught) noexcept;

    // What the loop may spin for each frame.
    [[nodiscard]] std::int64_t spin_ns() const noexcept { return duty_.spin_ns(); }
    // Thread-safe.
    [[nodiscard]] LoopTiming timing() const noexcept;

  private:
    void apply() noexcept;

    int priority_;
    LoopDuty duty_;
    std::atomic<Fifo> fifo_{Fifo::not_asked};
    std::atomic<int> left_{0};
    std::atomic<std::int64_t> work_ns_{0}, frames_{0}, spun_{0}, spin_ns_{0};
    std::atomic<double> expected_share_{0}, share_{0}, most_share_{0};
};

}  // namespace fastpose
