// The one host clock: monotonic nanoseconds. Every stamp in fastpose that ends in _ns is in this clock unless
// its name says camera.
#pragma once
#include <cstdint>

namespace fastpose {

// Thread-safe, never blocks; comparable between processes of one host.
[[nodiscard]] std::int64_t now_ns() noexcept;

// Wall clock (Unix epoch) in ns; for session metadata only, it may jump.
[[nodiscard]] std::int64_t wall_clock_ns() noexcept;

// Sleeps until now_ns() >= deadline_ns; returns at once if it has passed.
void sleep_until_ns(std::int64_t deadline_ns) noexcept;

}  // namespace fastpose
