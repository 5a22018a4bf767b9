// A wake-up between threads and processes that lies in shared memory. No wake-up is lost: take a ticket, look
// at the condition, then wait on the ticket.
#pragma once
#include <atomic>
#include <cstdint>

namespace fastpose {

// Plain memory: all zero is the initial state. Thread-safe, between processes too.
class SharedEvent {
  public:
    [[nodiscard]] std::uint32_t ticket() const noexcept { return sequence_.load(std::memory_order_acquire); }
    // Blocks until notify() was called after `ticket` was taken, or timeout_ns (>= 0) has passed. May also
    // return early.
    void wait(std::uint32_t ticket, std::int64_t timeout_ns) noexcept;
    // Wakes all waiters; a system call only if there are some.
    void notify() noexcept;

  private:
    std::atomic<std::uint32_t> sequence_{0};
    std::atomic<std::uint32_t> waiters_{0};
};
static_assert(std::atomic<std::uint32_t>::is_always_lock_free);

// Waits until `ready()` is true or the deadline passes; returns ready().
template <typename Ready>
bool wait_for(SharedEvent& event, std::int64_t timeout_ns, Ready ready) noexcept;

}  // namespace fastpose

#include "base/clock.h"

template <typename Ready>
bool fastpose::wait_for(SharedEvent& event, std::int64_t timeout_ns, Ready ready) noexcept {
    if (ready()) return true;
    const std::int64_t deadline = now_ns() + timeout_ns;
    for (;;) {
        const std::uint32_t ticket = event.ticket();
        if (ready()) return true;
        const std::int64_t left = deadline - now_ns();
        if (left <= 0) return false;
        event.wait(ticket, left);
    }
}
