// Memory where nothing is known of the system: nothing is locked.
#include "base/memory_lock.h"

namespace fastpose {

MemoryGrant lock_memory() noexcept { return {}; }

void unlock_memory() noexcept {}

}  // namespace fastpose
