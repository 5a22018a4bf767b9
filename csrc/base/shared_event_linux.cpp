// SharedEvent on Linux: a futex, without FUTEX_PRIVATE_FLAG so that it works between processes.
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <climits>
#include <ctime>

#include "base/shared_event.h"

namespace fastpose {

void SharedEvent::wait(std::uint32_t ticket, std::int64_t timeout_ns) noexcept {
    timespec timeout{static_cast<time_t>(timeout_ns / 1'000'000'000),
                     static_cast<long>(timeout_ns % 1'000'000'000)};
    waiters_.fetch_add(1);
    syscall(SYS_futex, reinterpret_cast<std::uint32_t*>(&sequence_), FUTEX_WAIT, ticket, &timeout, nullptr,
            0);
    waiters_.fetch_sub(1);
}

void SharedEvent::notify() noexcept {
    sequence_.fetch_add(1);
    if (waiters_.load() == 0) return;
    syscall(SYS_futex, reinterpret_cast<std::uint32_t*>(&sequence_), FUTEX_WAKE, INT_MAX, nullptr, nullptr,
            0);
}

}  // namespace fastpose
