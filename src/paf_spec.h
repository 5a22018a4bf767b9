// How several animals are decoded, from the words and numbers of the assembly.
#pragma once
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "decode/paf_decoder.h"
#include "decode/paf_tree_decoder.h"

using PoseSize = std::pair<int, int>;  // individuals, bodyparts
using MapPair = std::pair<int, int>;   // width, height; cells
using Limbs = std::vector<std::array<int, 2>>;

// Throws ConfigError for an unknown activation.
inline fastpose::PafDecoderSpec paf_spec(PoseSize shape, Limbs limbs, MapPair map_size, float stride,
                                         float locref_stdev, const std::string& activation,
                                         float smoothing_cells, int nms_size, float min_score,
                                         float min_likelihood, float min_affinity, int points_per_limb) {
    return {.bodyparts = shape.second,
            .individuals = shape.first,
            .limbs = std::move(limbs),
            .map_height = map_size.second,
            .map_width = map_size.first,
            .stride = stride,
            .locref_stdev = locref_stdev,
            .activation = fastpose::activation_from(activation),
            .smoothing_cells = smoothing_cells,
            .nms_size = nms_size,
            .min_score = min_score,
            .min_likelihood = min_likelihood,
            .min_affinity = min_affinity,
            .points_per_limb = points_per_limb};
}

inline fastpose::PafTreeSpec paf_tree_spec(PoseSize shape, Limbs limbs, std::vector<int> order,
                                           MapPair map_size, MapPair limb_map_size, float stride,
                                           float limb_stride, int window, float min_score, int most_peaks,
                                           float min_affinity, int points_per_limb, float length_ratio,
                                           float length_penalty) {
    return {.bodyparts = shape.second,
            .individuals = shape.first,
            .limbs = std::move(limbs),
            .order = std::move(order),
            .map_height = map_size.second,
            .map_width = map_size.first,
            .limb_height = limb_map_size.second,
            .limb_width = limb_map_size.first,
            .stride = stride,
            .limb_stride = limb_stride,
            .window = window,
            .min_score = min_score,
            .most_peaks = most_peaks,
            .min_affinity = min_affinity,
            .points_per_limb = points_per_limb,
            .length_ratio = length_ratio,
            .length_penalty = length_penalty};
}
