// A clock that stands where it was set: time for an interlock that no device is behind.
#pragma once
#include <cstdint>
#include <utility>

namespace fastpose {

// Of the calling thread. `once_ns` is what the next look sees, once: after a write that took time.
struct LogicalClock {
    std::int64_t now_ns = 0, once_ns = 0;
};
inline thread_local LogicalClock logical_clock;

inline std::int64_t read_logical_clock() noexcept {
    return logical_clock.once_ns == 0 ? logical_clock.now_ns : std::exchange(logical_clock.once_ns, 0);
}

}  // namespace fastpose
