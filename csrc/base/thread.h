// Names, priorities and placement of threads: taken where the system grants them, and said what was granted.
#pragma once
#include <string>

namespace fastpose {

struct ThreadRequest {
    std::string name;           // at most 15 characters are shown by the system
    int cpu = -1;               // -1: any
    int realtime_priority = 0;  // 1-99: SCHED_FIFO; 0: leave as it is
};

struct ThreadGrant {
    std::string name;
    bool affinity = false;
    bool realtime = false;
};

// Applies to the calling thread. Never fails: what was refused stays false.
ThreadGrant set_up_this_thread(const ThreadRequest& request) noexcept;

// Locks present memory of the process against paging; false where refused.
bool lock_memory() noexcept;

}  // namespace fastpose
