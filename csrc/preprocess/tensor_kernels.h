// Rows of float32 channels into the elements and layout of a tensor. Rounding is to the nearest, half to
// even; bytes are clamped to 0..255. The twins agree bit by bit.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>

#include "base/cpu_features.h"

namespace fastpose {

using ChannelRows = std::array<const float*, 3>;

struct TensorKernels {
    // out[i] = row[i], rounded.
    void (*quantise)(const float* row, std::size_t count, std::uint8_t* out) noexcept;
    // out[3 * i + c] = rows[c][i], rounded.
    void (*quantise_pixels)(const ChannelRows& rows, std::size_t count, std::uint8_t* out) noexcept;
    // out[3 * i + c] = rows[c][i].
    void (*interleave)(const ChannelRows& rows, std::size_t count, float* out) noexcept;
};

void quantise_scalar(const float* row, std::size_t count, std::uint8_t* out) noexcept;
void quantise_avx2(const float* row, std::size_t count, std::uint8_t* out) noexcept;
void quantise_avx512(const float* row, std::size_t count, std::uint8_t* out) noexcept;
void quantise_pixels_scalar(const ChannelRows& rows, std::size_t count, std::uint8_t* out) noexcept;
void quantise_pixels_avx2(const ChannelRows& rows, std::size_t count, std::uint8_t* out) noexcept;
void quantise_pixels_avx512(const ChannelRows& rows, std::size_t count, std::uint8_t* out) noexcept;
void interleave_scalar(const ChannelRows& rows, std::size_t count, float* out) noexcept;
void interleave_avx2(const ChannelRows& rows, std::size_t count, float* out) noexcept;

[[nodiscard]] TensorKernels tensor_kernels_for(Isa isa) noexcept;

}  // namespace fastpose
