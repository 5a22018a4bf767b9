// Counts what the whole test binary allocates by operator new between two calls.
#pragma once
#include <cstdint>

namespace fastpose {

void start_counting_allocations() noexcept;
[[nodiscard]] std::int64_t stop_counting_allocations() noexcept;

}  // namespace fastpose
