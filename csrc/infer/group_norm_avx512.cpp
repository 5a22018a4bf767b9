// Group normalisation, 16 channels at a time.
#include "infer/group_norm.h"

#if FASTPOSE_X86
#include <immintrin.h>

#include "infer/group_norm_dispatch.h"

namespace fastpose {
namespace {

constexpr std::size_t kWidth = 16;
constexpr std::size_t kRows = 8;  // pixels between two visits of a sum, which then stays in its register

FASTPOSE_AVX512 inline void add_rows(const float* values, std::size_t rows, std::size_t stride, float* sum,
                                     float* squares) noexcept {
    __m512 held = _mm512_loadu_ps(sum);
    __m512 held_squares = _mm512_loadu_ps(squares);
    for (std::size_t row = 0; row < rows; ++row) {
        const __m512 value = _mm512_loadu_ps(values + row * stride);
        held = _mm512_add_ps(held, value);
        held_squares = _mm512_fmadd_ps(value, value, held_squares);
    }
    _mm512_storeu_ps(sum, held);
    _mm512_storeu_ps(squares, held_squares);
}

template <ElementKind kind>
FASTPOSE_AVX512 inline __m512 load(const void* data, std::size_t index) noexcept {
    if constexpr (kind == ElementKind::f32) return _mm512_loadu_ps(static_cast<const float*>(data) + index);
    const auto* bytes = static_cast<const std::uint8_t*>(data) + index;
    const __m128i packed = _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes));
    constexpr __mmask16 all = 0xFFFF;  // masked: the plain forms warn inside GCC 12's own header
    if constexpr (kind == ElementKind::u8)
        return _mm512_maskz_cvtepi32_ps(all, _mm512_maskz_cvtepu8_epi32(all, packed));
    return _mm512_maskz_cvtepi32_ps(all, _mm512_maskz_cvtepi8_epi32(all, packed));
}

template <ElementKind kind>
FASTPOSE_AVX512 inline void store(void* out, std::size_t index, __m512 value) noexcept {
    if constexpr (kind == ElementKind::f32) {
        _mm512_storeu_ps(static_cast<float*>(out) + index, value);
    } else {
        constexpr __mmask16 all = 0xFFFF;
        const __m512i whole = _mm512_maskz_cvtps_epi32(all, value);
        const __m512i zero = _mm512_setzero_si512();
        const __m128i packed =
            kind == ElementKind::u8
                ? _mm512_maskz_cvtusepi32_epi8(all, _mm512_mask_max_epi32(zero, all, whole, zero))
                : _mm512_maskz_cvtsepi32_epi8(all, whole);
        _mm_storeu_si128(reinterpret_cast<__m128i*>(static_cast<std::uint8_t*>(out) + index), packed);
    }
}

template <ElementKind residual, bool relu, ElementKind out>
FASTPOSE_AVX512 void affine(const ChannelAffine& job) {
    const std::size_t whole = job.channels / kWidth * kWidth;
    const __m512 scale = _mm512_set1_ps(job.residual.scale);
    const __m512 zero = _mm512_setzero_ps();
    for (std::size_t p = 0; p < job.pixels; ++p)
        for (std::size_t c = 0; c < whole; c += kWidth) {
            const std::size_t index = p * job.channels + c;
            __m512 value = _mm512_fmadd_ps(_mm512_loadu_ps(job.values + index), _mm512_loadu_ps(job.gain + c),
                                           _mm512_loadu_ps(job.shift + c));
            if constexpr (residual != ElementKind::none)
                value = _mm512_fmadd_ps(load<residual>(job.residual.data, index), scale, value);
            if constexpr (relu) value = _mm512_mask_max_ps(zero, __mmask16{0xFFFF}, value, zero);
            store<out>(job.out, index, value);
        }
    if (whole < job.channels) channel_affine_tail(job, whole);
}

template <ElementKind residual, bool relu, ElementKind out>
struct Affine {
    static void run(const ChannelAffine& job) { affine<residual, relu, out>(job); }
};

}  // namespace

FASTPOSE_AVX512 void channel_sums_avx512(const float* values, std::size_t pixels, std::size_t channels,
                                         float* sum, float* sum_of_squares) {
    const std::size_t whole = channels / kWidth * kWidth;
    for (std::size_t c = 0; c < whole; ++c) sum[c] = sum_of_squares[c] = 0;
    for (std::size_t p = 0; p < pixels; p += kRows) {
        const std::size_t rows = pixels - p < kRows ? pixels - p : kRows;
        for (std::size_t c = 0; c < whole; c += kWidth)
            add_rows(values + p * channels + c, rows, channels, sum + c, sum_of_squares + c);
    }
    if (whole < channels) channel_sums_tail(values, pixels, channels, whole, sum, sum_of_squares);
}

void channel_affine_avx512(const ChannelAffine& job) { dispatch_affine<Affine>(job); }

}  // namespace fastpose
#endif
