// IEEE half precision as its 16 bits, the same on the host and in kernels.
#pragma once
#include <cstdint>
#include <cstring>

#include "cuda/host_device.h"

namespace fastpose {

struct Half {
    std::uint16_t bits = 0;
};

// Rounds to the nearest, half to even; what is too large becomes infinite.
FASTPOSE_HD inline Half half_from(float value) noexcept {
    std::uint32_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    const auto sign = static_cast<std::uint16_t>(bits >> 16 & 0x8000U);
    const std::uint32_t magnitude = bits & 0x7fffffffU;
    if (magnitude > 0x7f800000U) return {static_cast<std::uint16_t>(sign | 0x7e00U)};   // NaN
    if (magnitude >= 0x477ff000U) return {static_cast<std::uint16_t>(sign | 0x7c00U)};  // from 65520 on
    if (magnitude >= 0x38800000U) {                                                     // normal
        const std::uint32_t odd = magnitude >> 13 & 1U;
        return {static_cast<std::uint16_t>(sign | ((magnitude - 0x38000000U + 0xfffU + odd) >> 13))};
    }
    if (magnitude < 0x33000000U) return {sign};  // below half of the smallest
    const std::uint32_t exponent = magnitude >> 23, mantissa = (magnitude & 0x7fffffU) | 0x800000U;
    const std::uint32_t shift = 126 - exponent, kept = mantissa >> shift;
    const std::uint32_t rest = mantissa & ((1U << shift) - 1), middle = 1U << (shift - 1);
    const bool up = rest > middle || (rest == middle && (kept & 1U) != 0);
    return {static_cast<std::uint16_t>(sign | (kept + (up ? 1U : 0U)))};
}

FASTPOSE_HD inline float float_from(Half half) noexcept {
    const std::uint32_t sign = (half.bits & 0x8000U) << 16, exponent = half.bits >> 10 & 0x1fU;
    const std::uint32_t mantissa = half.bits & 0x3ffU;
    std::uint32_t bits = sign | (exponent + 112) << 23 | mantissa << 13;
    if (exponent == 31) bits = sign | 0x7f800000U | mantissa << 13;
    float value;
    std::memcpy(&value, &bits, sizeof value);
    if (exponent != 0) return value;
    value = static_cast<float>(mantissa) * 5.9604644775390625e-8F;  // 2^-24
    return sign != 0 ? -value : value;
}

}  // namespace fastpose
