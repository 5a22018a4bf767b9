// System calls only when the verdict changes.
#include "engine/loop_priority.h"

#include <algorithm>

namespace fastpose {

void LoopPriority::start(std::int64_t work_ns, std::int64_t period_ns) noexcept {
    duty_.expect(work_ns, period_ns);
    work_ns_.store(work_ns);
    expected_share_.store(duty_.share());
    spin_ns_.store(duty_.spin_ns());
    apply();
}

void LoopPriority::apply() noexcept {
    if (priority_ == 0) return;
    const bool had_it = fifo_.load() == Fifo::granted;
    if (!duty_.fits()) {
        leave_realtime();
        fifo_.store(Fifo::over_budget);
        if (had_it) left_.fetch_add(1);
        return;
    }
    const bool granted = take_realtime(priority_);
    fifo_.store(granted ? Fifo::granted : Fifo::refused);
    if (!granted) leave_realtime();
}

void LoopPriority::after_frame(std::int64_t begin_ns, std::int64_t end_ns, std::int64_t spun_ns,
                               bool caught) noexcept {
    if (duty_.add(begin_ns, end_ns, spun_ns)) apply();
    frames_.fetch_add(1, std::memory_order_relaxed);
    if (caught) spun_.fetch_add(1, std::memory_order_relaxed);
    share_.store(duty_.share(), std::memory_order_relaxed);
    if (duty_.measured())
        most_share_.store(std::max(most_share_.load(std::memory_order_relaxed), duty_.share()),
                          std::memory_order_relaxed);
    spin_ns_.store(duty_.spin_ns(), std::memory_order_relaxed);
}

LoopTiming LoopPriority::timing() const noexcept {
    LoopTiming timing;
    timing.fifo = fifo_.load();
    timing.left = left_.load();
    timing.warm_up_work_ns = work_ns_.load();
    timing.expected_share = expected_share_.load();
    timing.share = share_.load();
    timing.most_share = most_share_.load();
    timing.frames = frames_.load();
    timing.spun = spun_.load();
    timing.spin_ns = spin_ns_.load();
    return timing;
}

}  // namespace fastpose
