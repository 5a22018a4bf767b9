// Memory locked by mlockall.
#include "base/memory_lock.h"

#include <sys/mman.h>
#include <sys/resource.h>

#include <atomic>
#include <cstdio>

namespace fastpose {
namespace {

std::atomic<int> holders{0};

std::int64_t locked_bytes() noexcept {
    std::FILE* file = std::fopen("/proc/self/status", "r");
    if (file == nullptr) return 0;
    char line[128];
    long long kib = 0;
    while (std::fgets(line, sizeof line, file) != nullptr)
        if (std::sscanf(line, "VmLck: %lld kB", &kib) == 1) break;
    std::fclose(file);
    return kib * 1024;
}

// Holding more than the limit shows the capability that lifts it.
bool unlimited(std::int64_t held) noexcept {
    rlimit limit{};
    if (getrlimit(RLIMIT_MEMLOCK, &limit) != 0) return false;
    return limit.rlim_cur == RLIM_INFINITY || static_cast<rlim_t>(held) > limit.rlim_cur;
}

}  // namespace

MemoryGrant lock_memory() noexcept {
    MemoryGrant grant;
    // On fault: reading in all that is mapped takes seconds and gigabytes, of which the loop uses a little.
    grant.present = mlockall(MCL_CURRENT | MCL_ONFAULT) == 0;
    if (!grant.present) return grant;
    holders.fetch_add(1);
    grant.locked_bytes = locked_bytes();
    grant.future = unlimited(grant.locked_bytes) && mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) == 0;
    return grant;
}

void unlock_memory() noexcept {
    if (holders.fetch_sub(1) == 1) munlockall();
}

}  // namespace fastpose
