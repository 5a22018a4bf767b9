// Group normalisation over channels-last maps, with what follows it in a residual network done on the way
// out.
#pragma once
#include <cstddef>
#include <cstdint>

#include "base/cpu_features.h"

namespace fastpose {

enum class ElementKind : int { none, f32, u8, i8 };

// What is added to the normalised values: element * scale, of the same shape; kind none: nothing.
struct Residual {
    const void* data = nullptr;
    ElementKind kind = ElementKind::none;
    float scale = 1;
};

// Rows of `channels` values. Each becomes value * gain[c] + shift[c] + residual, at least 0 with `relu`, and
// is written as it is (f32) or rounded to even and saturated (u8, i8).
struct ChannelAffine {
    const float* values = nullptr;
    const float* gain = nullptr;
    const float* shift = nullptr;
    Residual residual;
    bool relu = false;
    void* out = nullptr;
    ElementKind out_kind = ElementKind::f32;
    std::size_t pixels = 0;
    std::size_t channels = 0;
};

// (pixels, channels) float32 -> sums over the pixels, (channels) each; both are overwritten.
using ChannelSums = void (*)(const float* values, std::size_t pixels, std::size_t channels, float* sum,
                             float* sum_of_squares);

// Reentrant, none allocates.
struct GroupNormKernels {
    ChannelSums sums;
    void (*affine)(const ChannelAffine&);
};

[[nodiscard]] GroupNormKernels group_norm_kernels(Isa isa) noexcept;

// Gain and shift of each channel from the sums of the whole map: (x - mean) / sqrt(variance + eps) * gamma +
// beta with mean and variance of the channel's group (Wu and He, "Group Normalization", ECCV 2018). All but
// `gain` and `shift` are read; `step` divides both, for outputs that are counted in steps.
struct GroupNormFold {
    std::size_t pixels = 0, channels = 0, groups = 0;
    const float* sum = nullptr;
    const float* sum_of_squares = nullptr;
    const float* gamma = nullptr;
    const float* beta = nullptr;
    float eps = 1e-5F;
    float step = 1;
};
void fold_group_norm(const GroupNormFold& fold, float* gain, float* shift) noexcept;

void channel_sums_scalar(const float* values, std::size_t pixels, std::size_t channels, float* sum,
                         float* sum_of_squares);
void channel_affine_scalar(const ChannelAffine& job);
// The channels from `first` on, for widths that the vector kernels leave over.
void channel_affine_tail(const ChannelAffine& job, std::size_t first);
void channel_sums_tail(const float* values, std::size_t pixels, std::size_t channels, std::size_t first,
                       float* sum, float* sum_of_squares);
#if FASTPOSE_X86
void channel_sums_avx2(const float* values, std::size_t pixels, std::size_t channels, float* sum,
                       float* sum_of_squares);
void channel_affine_avx2(const ChannelAffine& job);
void channel_sums_avx512(const float* values, std::size_t pixels, std::size_t channels, float* sum,
                         float* sum_of_squares);
void channel_affine_avx512(const ChannelAffine& job);
#endif

}  // namespace fastpose
