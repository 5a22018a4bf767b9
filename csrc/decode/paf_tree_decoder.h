// Several animals from heatmaps and part affinity fields by growing a tree of limbs, as SLEAP does.
#pragma once
#include <array>
#include <memory>
#include <vector>

#include "decode/decoder.h"

namespace fastpose {

struct PafTreeSpec {
    int bodyparts = 0;
    int individuals = 0;
    std::vector<std::array<int, 2>> limbs{};  // from, to: one for each field
    std::vector<int> order{};                 // limbs that assembly walks, from the root on: a tree
    int map_height = 0, map_width = 0;        // cells of the heatmap
    int limb_height = 0, limb_width = 0;      // cells of the fields
    float stride = 2;                         // tensor px per cell of the heatmap
    float limb_stride = 4;                    // tensor px per cell of the fields
    int window = 5;                           // side of the window that refines a peak, cells; odd
    float min_score = 0.2F;                   // only peaks above count
    int most_peaks = 20;                      // of a bodypart; the highest are kept, of equal ones the first
    float min_affinity = 0.25F;               // of a limb
    int points_per_limb = 10;                 // samples of the field along the line
    float length_ratio = 0.25F;  // longer lines than this share of the fields' size cost affinity
    float length_penalty = 1;
};

// Throws ConfigError unless every number is in its range and the limbs are a tree.
void check_paf_tree(const PafTreeSpec& spec);

// outputs: heatmap (1, K, h, w), limbs (1, 2L, lh, lw), with channel 2l = x, 2l + 1 = y.
// A peak lies where a cell is higher than its eight neighbours (of equal ones the first in row-major order),
// at the weighted mean of the window around it, times the stride, without half a cell. The affinity of two
// peaks is the mean product of the field, read from the nearest cells along the line, with the line's
// direction, less a penalty for length. Each limb is paired with the largest sum; walking the limbs in order
// an unassigned `from` starts an animal, and `to` joins the animal of `from`. The likelihood is the peak's
// cell as it is. If there are more than `individuals`, those with the largest sum of affinities are given,
// largest first, otherwise all in the order in which they were started. Slots without an animal, and
// bodyparts that were not found, are NaN, NaN, 0. Throws ConfigError.
[[nodiscard]] std::unique_ptr<Decoder> make_paf_tree_decoder(const PafTreeSpec& spec);

}  // namespace fastpose
