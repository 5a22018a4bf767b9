// Group normalisation, 8 channels at a time.
#include "infer/group_norm.h"

#if FASTPOSE_X86
#include <immintrin.h>

#include "infer/group_norm_dispatch.h"

namespace fastpose {
namespace {

constexpr std::size_t kWidth = 8;
constexpr std::size_t kRows = 8;  // pixels between two visits of a sum, which then stays in its register

FASTPOSE_AVX2 inline void add_rows(const float* values, std::size_t rows, std::size_t stride, float* sum,
                                   float* squares) noexcept {
    __m256 held = _mm256_loadu_ps(sum);
    __m256 held_squares = _mm256_loadu_ps(squares);
    for (std::size_t row = 0; row < rows; ++row) {
        const __m256 value = _mm256_loadu_ps(values + row * stride);
        held = _mm256_add_ps(held, value);
        held_squares = _mm256_fmadd_ps(value, value, held_squares);
    }
    _mm256_storeu_ps(sum, held);
    _mm256_storeu_ps(squares, held_squares);
}

template <ElementKind kind>
FASTPOSE_AVX2 inline __m256 load(const void* data, std::size_t index) noexcept {
    if constexpr (kind == ElementKind::f32) return _mm256_loadu_ps(static_cast<const float*>(data) + index);
    const auto* bytes = static_cast<const std::uint8_t*>(data) + index;
    const __m128i packed = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(bytes));
    if constexpr (kind == ElementKind::u8) return _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(packed));
    return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(packed));
}

template <ElementKind kind>
FASTPOSE_AVX2 inline void store(void* out, std::size_t index, __m256 value) noexcept {
    if constexpr (kind == ElementKind::f32) {
        _mm256_storeu_ps(static_cast<float*>(out) + index, value);
    } else {
        const __m256i whole = _mm256_cvtps_epi32(value);
        const __m128i words =
            _mm_packs_epi32(_mm256_castsi256_si128(whole), _mm256_extracti128_si256(whole, 1));
        const __m128i packed =
            kind == ElementKind::u8 ? _mm_packus_epi16(words, words) : _mm_packs_epi16(words, words);
        _mm_storel_epi64(reinterpret_cast<__m128i*>(static_cast<std::uint8_t*>(out) + index), packed);
    }
}

template <ElementKind residual, bool relu, ElementKind out>
FASTPOSE_AVX2 void affine(const ChannelAffine& job) {
    const std::size_t whole = job.channels / kWidth * kWidth;
    const __m256 scale = _mm256_set1_ps(job.residual.scale);
    const __m256 zero = _mm256_setzero_ps();
    for (std::size_t p = 0; p < job.pixels; ++p)
        for (std::size_t c = 0; c < whole; c += kWidth) {
            const std::size_t index = p * job.channels + c;
            __m256 value = _mm256_fmadd_ps(_mm256_loadu_ps(job.values + index), _mm256_loadu_ps(job.gain + c),
                                           _mm256_loadu_ps(job.shift + c));
            if constexpr (residual != ElementKind::none)
                value = _mm256_fmadd_ps(load<residual>(job.residual.data, index), scale, value);
            if constexpr (relu) value = _mm256_max_ps(value, zero);
            store<out>(job.out, index, value);
        }
    if (whole < job.channels) channel_affine_tail(job, whole);
}

template <ElementKind residual, bool relu, ElementKind out>
struct Affine {
    static void run(const ChannelAffine& job) { affine<residual, relu, out>(job); }
};

}  // namespace

FASTPOSE_AVX2 void channel_sums_avx2(const float* values, std::size_t pixels, std::size_t channels,
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

void channel_affine_avx2(const ChannelAffine& job) { dispatch_affine<Affine>(job); }

}  // namespace fastpose
#endif
