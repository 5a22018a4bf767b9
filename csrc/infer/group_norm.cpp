// Portable kernels, the fold of the statistics, and the choice by instruction set.
#include "infer/group_norm.h"

#include <algorithm>
#include <cmath>

namespace fastpose {
namespace {

float element(const void* data, ElementKind kind, std::size_t index) noexcept {
    if (kind == ElementKind::u8) return static_cast<const std::uint8_t*>(data)[index];
    if (kind == ElementKind::i8) return static_cast<const std::int8_t*>(data)[index];
    return static_cast<const float*>(data)[index];
}

void store(void* out, ElementKind kind, std::size_t index, float value) noexcept {
    if (kind == ElementKind::u8)
        static_cast<std::uint8_t*>(out)[index] =
            static_cast<std::uint8_t>(std::clamp(std::nearbyint(value), 0.0F, 255.0F));
    else if (kind == ElementKind::i8)
        static_cast<std::int8_t*>(out)[index] =
            static_cast<std::int8_t>(std::clamp(std::nearbyint(value), -128.0F, 127.0F));
    else
        static_cast<float*>(out)[index] = value;
}

}  // namespace

void channel_sums_tail(const float* values, std::size_t pixels, std::size_t channels, std::size_t first,
                       float* sum, float* sum_of_squares) {
    std::fill(sum + first, sum + channels, 0.0F);
    std::fill(sum_of_squares + first, sum_of_squares + channels, 0.0F);
    for (std::size_t p = 0; p < pixels; ++p)
        for (std::size_t c = first; c < channels; ++c) {
            const float value = values[p * channels + c];
            sum[c] += value;
            sum_of_squares[c] += value * value;
        }
}

void channel_sums_scalar(const float* values, std::size_t pixels, std::size_t channels, float* sum,
                         float* sum_of_squares) {
    channel_sums_tail(values, pixels, channels, 0, sum, sum_of_squares);
}

void channel_affine_tail(const ChannelAffine& job, std::size_t first) {
    const Residual& residual = job.residual;
    for (std::size_t p = 0; p < job.pixels; ++p)
        for (std::size_t c = first; c < job.channels; ++c) {
            const std::size_t index = p * job.channels + c;
            float value = std::fma(job.values[index], job.gain[c], job.shift[c]);
            if (residual.kind != ElementKind::none)
                value = std::fma(element(residual.data, residual.kind, index), residual.scale, value);
            if (job.relu) value = std::max(value, 0.0F);
            store(job.out, job.out_kind, index, value);
        }
}

void channel_affine_scalar(const ChannelAffine& job) { channel_affine_tail(job, 0); }

void fold_group_norm(const GroupNormFold& fold, float* gain, float* shift) noexcept {
    const std::size_t size = fold.channels / fold.groups;
    const double count = static_cast<double>(fold.pixels) * static_cast<double>(size);
    for (std::size_t first = 0; first < fold.channels; first += size) {
        double sum = 0;
        double squares = 0;
        for (std::size_t c = first; c < first + size; ++c) {
            sum += fold.sum[c];
            squares += fold.sum_of_squares[c];
        }
        const double mean = sum / count;
        const double variance = std::max(0.0, squares / count - mean * mean);
        const double scale = 1 / (std::sqrt(variance + fold.eps) * fold.step);
        for (std::size_t c = first; c < first + size; ++c) {
            gain[c] = static_cast<float>(fold.gamma[c] * scale);
            shift[c] = static_cast<float>(fold.beta[c] / fold.step - mean * fold.gamma[c] * scale);
        }
    }
}

GroupNormKernels group_norm_kernels(Isa isa) noexcept {
#if FASTPOSE_X86
    if (isa == Isa::avx512) return {channel_sums_avx512, channel_affine_avx512};
    if (isa == Isa::avx2) return {channel_sums_avx2, channel_affine_avx2};
#endif
    static_cast<void>(isa);
    return {channel_sums_scalar, channel_affine_scalar};
}

}  // namespace fastpose
