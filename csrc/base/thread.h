// Names, priorities and placement of threads: taken where the system grants them, and said what was granted.
#pragma once
#include <string>
#include <vector>

namespace fastpose {

struct ThreadRequest {
    std::string name;           // at most 15 characters are shown by the system
    std::vector<int> cpus{};    // cores that it may run on; empty: as it is
    int realtime_priority = 0;  // 1-99: SCHED_FIFO; 0: leave as it is
};

struct ThreadGrant {
    std::string name;
    bool affinity = false;
    bool realtime = false;
    int id = 0;  // of the system; 0 where it has none
};

// Applies to the calling thread. Never fails: what was refused stays false.
ThreadGrant set_up_this_thread(const ThreadRequest& request) noexcept;

// Binds the calling thread to these cores; false where refused.
bool keep_to(const std::vector<int>& cpus) noexcept;
// Whether the calling thread may run on these cores and no other.
[[nodiscard]] bool keeps_to(const std::vector<int>& cpus) noexcept;

// SCHED_FIFO for the calling thread; threads that it makes from then on do not inherit it. False where
// refused.
bool take_realtime(int priority) noexcept;

// Priority of the calling thread under SCHED_FIFO; 0: it is a normal one.
[[nodiscard]] int realtime_priority_of_this_thread() noexcept;

// The normal policy for the calling thread, ahead of other normal threads as far as the system grants that.
void leave_realtime() noexcept;

// Tells the core that the caller waits in a loop.
void relax_core() noexcept;

// What the kernel leaves to real-time threads: it stops them for the rest of a period, once they have run on
// a core for runtime_us of it.
struct RealtimeLimits {
    long long runtime_us = -1, period_us = 0;  // runtime_us -1: no limit, or not known
    // Share of a core, 0-1.
    [[nodiscard]] double budget() const noexcept {
        if (runtime_us < 0 || period_us <= 0 || runtime_us >= period_us) return 1;
        return static_cast<double>(runtime_us) / static_cast<double>(period_us);
    }
};
[[nodiscard]] RealtimeLimits realtime_limits() noexcept;

}  // namespace fastpose
