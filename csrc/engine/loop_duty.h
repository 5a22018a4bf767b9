// How much of its core the loop takes, and whether it may be real-time with that.
#pragma once
#include <cstdint>

namespace fastpose {

// Note [Duty]: The kernel stops a real-time thread that has used up its share of a core (`budget`) for the
// rest of the period: 50 ms of each second, the worst jitter there is. So the loop leaves SCHED_FIFO when its
// work fills most of the budget over a quarter of a second, long before the kernel would stop it, and takes
// it again when the work has been well below for a second. Spinning is work as the kernel sees it, and gets
// what is left.
//
// Thread-bound but for the const members of the last verdict. Never allocates; it is told the time.
class LoopDuty {
  public:
    static constexpr double leave_at = 0.9, return_at = 0.75;  // of the budget
    static constexpr std::int64_t window_ns = 250'000'000;
    static constexpr int calm_windows = 4;  // before it returns

    explicit LoopDuty(double budget) noexcept : budget_(budget) {}

    // Before the first frame: what the work of a frame takes, and the time between frames (0: not known).
    void expect(std::int64_t work_ns, std::int64_t period_ns) noexcept;
    // A frame was worked on from begin_ns to end_ns, after spinning for spun_ns. True: fits() has changed.
    bool add(std::int64_t begin_ns, std::int64_t end_ns, std::int64_t spun_ns) noexcept;

    // Whether the work leaves the kernel its share.
    [[nodiscard]] bool fits() const noexcept { return fits_; }
    // Share of the core that the work took, without spinning: in the last window, or as expected; 0-1.
    [[nodiscard]] double share() const noexcept { return share_; }
    // share() was measured, not expected.
    [[nodiscard]] bool measured() const noexcept { return measured_; }
    // What may be spun for each frame; 0 before anything is known.
    [[nodiscard]] std::int64_t spin_ns() const noexcept { return spin_ns_; }

  private:
    bool close_window(std::int64_t end_ns) noexcept;
    bool judge(double with_spinning) noexcept;
    void allow_spin(double period_ns) noexcept;

    double budget_, share_ = 0;
    bool fits_ = true, measured_ = false;
    int calm_ = 0;
    std::int64_t spin_ns_ = 0, window_start_ns_ = 0, work_ns_ = 0, spun_ns_ = 0;
    std::int64_t frames_ = 0;
};

}  // namespace fastpose
