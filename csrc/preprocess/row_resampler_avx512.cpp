// Plans of the AVX-512 resamplers, and which of them a line's layout needs.
#include "preprocess/row_resampler.h"

#if FASTPOSE_X86
#include <algorithm>

#include "preprocess/resample_avx512.h"
#include "preprocess/row_gains.h"

namespace fastpose {
namespace avx512 {
namespace {

void add_pair(Chunk& chunk, int lane, int byte, int pixel_bytes, int sample_bytes) {
    for (int s = 0; s < 2; ++s) {
        for (int b = 0; b < sample_bytes; ++b) {
            const int target = 4 * lane + 2 * s + b;
            chunk.index[target] = static_cast<std::uint8_t>(byte + s * pixel_bytes + b);
            chunk.mask |= std::uint64_t{1} << target;
        }
    }
}

}  // namespace

Plan make_plan(const RowSpec& spec) {
    const int sample_bytes = spec.sample == SampleType::u8 ? 1 : 2;
    const int pixel_bytes = sample_bytes * spec.pixel_samples;
    const auto count = static_cast<int>(spec.columns.size());
    Plan plan;
    for (int first = 0; first < count; first += kGroup) {
        Group group{
            .weights = {}, .first_chunk = static_cast<std::uint32_t>(plan.chunks.size()), .chunks = 0};
        for (int lane = 0; lane < std::min(kGroup, count - first); ++lane) {
            const AxisSample column = spec.columns[first + lane];
            const std::ptrdiff_t start = static_cast<std::ptrdiff_t>(column.low) * pixel_bytes;
            const int pair_bytes = pixel_bytes + sample_bytes * spec.pixel_samples;  // of all channels
            if (group.chunks == 0 || start + pair_bytes > plan.chunks.back().offset + kChunkBytes) {
                plan.chunks.push_back({.index = {}, .mask = 0, .offset = start});
                ++group.chunks;
            }
            const auto byte = static_cast<int>(start - plan.chunks.back().offset);
            add_pair(plan.chunks.back(), lane, byte, pixel_bytes, sample_bytes);
            const PairWeights weights = pair_weights(column);
            group.weights[2 * lane] = weights.low;
            group.weights[2 * lane + 1] = weights.high;
        }
        plan.groups.push_back(group);
    }
    return plan;
}

}  // namespace avx512

std::unique_ptr<RowResampler> make_row_resampler_avx512(const RowSpec& spec) {
    return spec.pixel_samples == 3 ? avx512::make_pixel_resampler(spec) : avx512::make_planar_resampler(spec);
}

}  // namespace fastpose
#endif
