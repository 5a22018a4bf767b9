// Thread placement where nothing is known of the system: grants nothing.
#include "base/thread.h"

namespace fastpose {

ThreadGrant set_up_this_thread(const ThreadRequest& request) noexcept {
    ThreadGrant grant;
    grant.name = request.name;
    return grant;
}

bool keep_to(const std::vector<int>&) noexcept { return false; }

bool keeps_to(const std::vector<int>&) noexcept { return false; }

bool take_realtime(int) noexcept { return false; }

int realtime_priority_of_this_thread() noexcept { return 0; }

void leave_realtime() noexcept {}

void relax_core() noexcept {}

RealtimeLimits realtime_limits() noexcept { return {}; }

}  // namespace fastpose
