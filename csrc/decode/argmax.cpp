// Portable argmax, and the choice by instruction set.
#include "decode/argmax.h"

#include <limits>

namespace fastpose {

Peak argmax_scalar(const float* cells, std::size_t count) noexcept {
    Peak peak{0, -std::numeric_limits<float>::infinity()};
    for (std::size_t i = 0; i < count; ++i) {
        if (cells[i] > peak.value) peak = {i, cells[i]};
    }
    return peak;
}

Argmax argmax_for(Isa isa) noexcept {
#if FASTPOSE_X86
    if (isa == Isa::avx512) return argmax_avx512;
    if (isa == Isa::avx2) return argmax_avx2;
#endif
    static_cast<void>(isa);
    return argmax_scalar;
}

}  // namespace fastpose
