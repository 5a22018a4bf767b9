// Thread placement where nothing is known of the system: grants nothing.
#include "base/thread.h"

namespace fastpose {

ThreadGrant set_up_this_thread(const ThreadRequest& request) noexcept {
    ThreadGrant grant;
    grant.name = request.name;
    return grant;
}

bool lock_memory() noexcept { return false; }

}  // namespace fastpose
