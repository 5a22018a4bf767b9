// Several animals from heatmaps and part affinity fields.
#pragma once
#include <array>
#include <memory>
#include <vector>

#include "base/cpu_features.h"
#include "decode/decoder.h"

namespace fastpose {

struct PafDecoderSpec {
    int bodyparts = 0;
    int individuals = 0;
    std::vector<std::array<int, 2>> limbs{};  // the two bodyparts that each field joins, each pair once
    int map_height = 0, map_width = 0;        // cells
    float stride = 8;                         // tensor px per cell
    float locref_stdev = 7.2801F;             // 0: the network has no locref
    ScoreActivation activation = ScoreActivation::sigmoid;  // sigmoid: before smoothing; clip: of likelihoods
    float smoothing_cells = 1;    // standard deviation of the Gaussian, 11 cells wide; 0: none
    int nms_size = 5;             // cells, odd: a peak is the maximum of a window of this size
    float min_score = 0.01F;      // of a peak
    float min_likelihood = 0.1F;  // of a peak that may join a limb
    float min_affinity = 0.05F;   // of a limb
    int points_per_limb = 10;     // samples of the line integral
};

// Throws ConfigError unless every number is in its range.
void check_paf(const PafDecoderSpec& spec);

// outputs: heatmap (1, K, h, w), locref (1, 2K, h, w) if locref_stdev > 0, limbs (1, 2L, h, w), with channel
// 2l = x, 2l + 1 = y. Individuals come with the strongest limbs first; slots without an animal, and bodyparts
// that were not found, are NaN, NaN, 0. Peaks and pairs as in DeepLabCut's predictor of part affinity
// fields; of each bodypart the `individuals` highest peaks are used. Maps of another shape give a pose of
// NaN. Throws ConfigError.
[[nodiscard]] std::unique_ptr<Decoder> make_paf_decoder(const PafDecoderSpec& spec);
// The same with the instruction set chosen by the caller, not wider than best_isa(); for tests and benches.
[[nodiscard]] std::unique_ptr<Decoder> make_paf_decoder(const PafDecoderSpec& spec, Isa isa);

}  // namespace fastpose
