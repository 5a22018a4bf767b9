// Several animals from short lists of peaks and of the affinities of their pairs, which a GPU made of the
// maps.
#pragma once
#include <memory>

#include "decode/decoder.h"
#include "decode/paf_decoder.h"
#include "decode/paf_tree_decoder.h"

namespace fastpose {

// A peak of a list: its place in tensor px, its score, and its cell in row-major order; below 0: none.
struct PeakEntry {
    float x = 0, y = 0, score = 0, cell = -1;
};
static_assert(sizeof(PeakEntry) == 4 * sizeof(float));

// As make_paf_decoder, of other outputs: peaks (1, K, individuals, 4), the PeakEntry of each bodypart,
// highest first; affinities (1, L, individuals, individuals) of the limb's first bodypart's i-th peak and its
// second's j-th. Throws ConfigError.
[[nodiscard]] std::unique_ptr<Decoder> make_paf_lists_decoder(const PafDecoderSpec& spec);

// As make_paf_tree_decoder: peaks (1, K, most_peaks, 4), affinities (1, L, most_peaks, most_peaks).
[[nodiscard]] std::unique_ptr<Decoder> make_paf_tree_lists_decoder(const PafTreeSpec& spec);

}  // namespace fastpose
