// The portable kernels over score maps, and the choice among all.
#include "decode/paf_kernels.h"

#include <cmath>

namespace fastpose {

void paf_sigmoid_scalar(const float* cells, float* scores, std::size_t count) noexcept {
    for (std::size_t i = 0; i < count; ++i) scores[i] = 1.0F / (1.0F + std::exp(-cells[i]));
}

void paf_weigh_scalar(const float* first, std::size_t step, const float* weights, float* out,
                      std::size_t count) noexcept {
    for (std::size_t i = 0; i < count; ++i) {
        float sum = 0;
        for (std::size_t tap = 0; tap < paf_taps; ++tap) sum += weights[tap] * first[i + tap * step];
        out[i] = sum;
    }
}

std::size_t paf_next_at_least_scalar(const float* scores, std::size_t begin, std::size_t count,
                                     float least) noexcept {
    while (begin < count && !(scores[begin] >= least)) ++begin;
    return begin;
}

PafKernels paf_kernels_for([[maybe_unused]] Isa isa) noexcept {
#if FASTPOSE_X86
    if (isa != Isa::scalar) return {&paf_sigmoid_avx2, &paf_weigh_avx2, &paf_next_at_least_avx2};
#endif
    return {&paf_sigmoid_scalar, &paf_weigh_scalar, &paf_next_at_least_scalar};
}

}  // namespace fastpose
