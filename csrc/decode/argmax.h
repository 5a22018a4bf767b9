// First maximum of a map.
#pragma once
#include <cstddef>

#include "base/cpu_features.h"

namespace fastpose {

struct Peak {
    std::size_t index = 0;  // the first cell that holds the maximum
    float value = 0;        // -infinity where no cell is above it; then index has no meaning
};

// NaN cells are ignored. count may be 0.
using Argmax = Peak (*)(const float* cells, std::size_t count) noexcept;
[[nodiscard]] Peak argmax_scalar(const float* cells, std::size_t count) noexcept;
[[nodiscard]] Peak argmax_avx2(const float* cells, std::size_t count) noexcept;
[[nodiscard]] Peak argmax_avx512(const float* cells, std::size_t count) noexcept;

[[nodiscard]] Argmax argmax_for(Isa isa) noexcept;

}  // namespace fastpose
