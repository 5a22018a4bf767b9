// The arithmetic over whole score maps, once an instruction set.
#pragma once
#include <cstddef>

#include "base/cpu_features.h"

namespace fastpose {

inline constexpr std::size_t paf_taps = 11;

struct PafKernels {
    // scores[i] = 1 / (1 + exp(-cells[i])); NaN stays NaN.
    void (*sigmoid)(const float* cells, float* scores, std::size_t count) noexcept;
    // out[i] = sum over t of weights[t] * first[i + t * step], paf_taps of them.
    void (*weigh)(const float* first, std::size_t step, const float* weights, float* out,
                  std::size_t count) noexcept;
    // The first i from `begin` on with scores[i] >= least; count if there is none.
    std::size_t (*next_at_least)(const float* scores, std::size_t begin, std::size_t count,
                                 float least) noexcept;
};

void paf_sigmoid_scalar(const float* cells, float* scores, std::size_t count) noexcept;
void paf_weigh_scalar(const float* first, std::size_t step, const float* weights, float* out,
                      std::size_t count) noexcept;
std::size_t paf_next_at_least_scalar(const float* scores, std::size_t begin, std::size_t count,
                                     float least) noexcept;
// Relative error of the sigmoid below 3e-7.
void paf_sigmoid_avx2(const float* cells, float* scores, std::size_t count) noexcept;
void paf_weigh_avx2(const float* first, std::size_t step, const float* weights, float* out,
                    std::size_t count) noexcept;
std::size_t paf_next_at_least_avx2(const float* scores, std::size_t begin, std::size_t count,
                                   float least) noexcept;

[[nodiscard]] PafKernels paf_kernels_for(Isa isa) noexcept;

}  // namespace fastpose
