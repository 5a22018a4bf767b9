// Keypoints from maps, as kernels find them and as their twins on the host do.
//
// A block finds the maximum of a map: its threads look at every n-th cell each, and what they found is merged
// by `better`, which knows no order of merging. All that follows is done by one thread.
#pragma once
#include <cmath>
#include <cstdint>
#include <limits>

#include "cuda/device_tensor.h"
#include "cuda/half.h"
#include "cuda/host_device.h"
#include "cuda/row_parameters.h"
#include "decode/decoder.h"

namespace fastpose {

// A map of cells in either precision; not an owner.
struct MapView {
    const void* cells = nullptr;
    DeviceElement element = DeviceElement::f32;

    FASTPOSE_HD float operator[](std::int64_t index) const noexcept {
        if (element == DeviceElement::f16) return float_from(static_cast<const Half*>(cells)[index]);
        return static_cast<const float*>(cells)[index];
    }
    FASTPOSE_HD MapView from(std::int64_t cell) const noexcept {
        if (element == DeviceElement::f16) return {static_cast<const Half*>(cells) + cell, element};
        return {static_cast<const float*>(cells) + cell, element};
    }
};

// All pointers are the device's; maps are dense, (N, K, h, w). Passed by value.
struct MapArguments {
    MapView heatmap, locref;  // locref: (N, 2K, h, w), or no cells
    const RowParameters* parameters = nullptr;
    Keypoint* keypoints = nullptr;  // (N, individuals, pose_bodyparts)
    int bodyparts = 0, height = 0, width = 0;
    int individuals = 1, pose_bodyparts = 0;
    float stride = 8, locref_stdev = 0;
    ScoreActivation activation = ScoreActivation::none;
    int window = 5;       // soft_window: side of the window, odd; peaks: of the suppression
    float min_score = 0;  // soft_window, peaks
};

struct SimccArguments {
    MapView x, y;  // (N, 1, K, bins)
    const RowParameters* parameters = nullptr;
    Keypoint* keypoints = nullptr;
    int bodyparts = 0, bins_x = 0, bins_y = 0;
    int individuals = 1, pose_bodyparts = 0;
    float split_ratio = 2, temperature = 1;
    bool softmax = true;
};

struct WidenArguments {
    const Half* from = nullptr;
    float* to = nullptr;
    std::int64_t count = 0;
};

struct Candidate {
    float value = -std::numeric_limits<float>::infinity();
    int index = std::numeric_limits<int>::max();
};

// The higher one; of equal ones the first. NaN never wins.
FASTPOSE_HD inline bool better(const Candidate& a, const Candidate& b) noexcept {
    return a.value > b.value || (a.value == b.value && a.index < b.index);
}

FASTPOSE_HD inline Candidate best_of(const Candidate& a, const Candidate& b) noexcept {
    return better(b, a) ? b : a;
}

FASTPOSE_HD inline Keypoint missing_keypoint() noexcept {
    const float nan = std::numeric_limits<float>::quiet_NaN();
    return {nan, nan, 0};
}

FASTPOSE_HD inline float activated_score(ScoreActivation activation, float value) noexcept {
    if (activation == ScoreActivation::sigmoid) return 1.0F / (1.0F + std::exp(-value));
    if (activation == ScoreActivation::clip) return std::fmin(std::fmax(value, 0.0F), 1.0F);
    return value;
}

FASTPOSE_HD inline Keypoint in_frame(const RowParameters& row, float x, float y, float likelihood) noexcept {
    return {x * row.scale_x + row.offset_x, y * row.scale_y + row.offset_y, likelihood};
}

// Maximum of every step-th cell from `first` on.
FASTPOSE_HD inline Candidate strided_argmax(const MapView& map, int cells, int first, int step) noexcept {
    Candidate best;
    for (int i = first; i < cells; i += step) {
        const float value = map[i];
        if (value > best.value) best = {value, i};
    }
    return best;
}

FASTPOSE_HD inline int cells_of(const MapArguments& spec) noexcept { return spec.height * spec.width; }

FASTPOSE_HD inline MapView map_of(const MapArguments& spec, int row, int part) noexcept {
    return spec.heatmap.from((static_cast<std::int64_t>(row) * spec.bodyparts + part) * cells_of(spec));
}

template <class Arguments>
FASTPOSE_HD Keypoint& place_of(const Arguments& spec, int row, int individual, int part) noexcept {
    const std::int64_t of_row = static_cast<std::int64_t>(row) * spec.individuals + individual;
    return spec.keypoints[of_row * spec.pose_bodyparts + part];
}

// A cell and its locref in sensor px.
FASTPOSE_HD inline Keypoint heatmap_keypoint(const MapArguments& spec, int row, int part,
                                             const Candidate& peak) noexcept {
    if (!std::isfinite(peak.value)) return missing_keypoint();
    const int column = peak.index % spec.width, line = peak.index / spec.width;
    float x = (static_cast<float>(column) + 0.5F) * spec.stride;
    float y = (static_cast<float>(line) + 0.5F) * spec.stride;
    if (spec.locref.cells != nullptr) {
        const std::int64_t cells = cells_of(spec);
        const std::int64_t map = (static_cast<std::int64_t>(row) * spec.bodyparts + part) * 2 * cells;
        x += spec.locref[map + peak.index] * spec.locref_stdev;
        y += spec.locref[map + cells + peak.index] * spec.locref_stdev;
    }
    if (!std::isfinite(x) || !std::isfinite(y)) return missing_keypoint();
    return in_frame(spec.parameters[row], x, y, activated_score(spec.activation, peak.value));
}

struct PeakPlace {
    float x, y;  // cells
};

// The mean of the window's cells weighted by their values; not finite where these sum to 0.
template <class Map>
FASTPOSE_HD PeakPlace refined_place(const Map& map, int height, int width, int line, int column,
                                    int window) noexcept {
    const int reach = window / 2;
    const int top = line > reach ? line - reach : 0, left = column > reach ? column - reach : 0;
    const int bottom = line + reach < height ? line + reach : height - 1;
    const int right = column + reach < width ? column + reach : width - 1;
    double sum = 0, sum_x = 0, sum_y = 0;
    for (int r = top; r <= bottom; ++r)
        for (int c = left; c <= right; ++c) {
            const double value = map[static_cast<std::int64_t>(r) * width + c];
            sum += value;
            sum_x += value * (c - column);
            sum_y += value * (r - line);
        }
    return {static_cast<float>(column + sum_x / sum), static_cast<float>(line + sum_y / sum)};
}

FASTPOSE_HD inline Keypoint soft_window_keypoint(const MapArguments& spec, int row, int part,
                                                 const Candidate& peak) noexcept {
    if (!std::isfinite(peak.value) || peak.value < spec.min_score) return missing_keypoint();
    const PeakPlace place = refined_place(map_of(spec, row, part), spec.height, spec.width,
                                          peak.index / spec.width, peak.index % spec.width, spec.window);
    if (!std::isfinite(place.x) || !std::isfinite(place.y)) return missing_keypoint();
    return in_frame(spec.parameters[row], place.x * spec.stride, place.y * spec.stride, peak.value);
}

// Whether nothing in the cell's window is higher, or NaN.
FASTPOSE_HD inline bool highest_around(const MapArguments& spec, const MapView& map, int index) noexcept {
    const int reach = spec.window / 2, line = index / spec.width, column = index % spec.width;
    const int top = line > reach ? line - reach : 0, left = column > reach ? column - reach : 0;
    const int bottom = line + reach < spec.height ? line + reach : spec.height - 1;
    const int right = column + reach < spec.width ? column + reach : spec.width - 1;
    const float value = map[index];
    for (int r = top; r <= bottom; ++r)
        for (int c = left; c <= right; ++c)
            if (!(map[r * spec.width + c] <= value)) return false;
    return true;
}

// The highest peak among every step-th cell that comes after `last` in the order of `better`.
FASTPOSE_HD inline Candidate strided_peak(const MapArguments& spec, const MapView& map, const Candidate& last,
                                          int first, int step) noexcept {
    Candidate best;
    for (int i = first; i < cells_of(spec); i += step) {
        const Candidate cell{map[i], i};
        if (!(cell.value >= spec.min_score) || !std::isfinite(cell.value)) continue;
        if (better(last, cell) && better(cell, best) && highest_around(spec, map, i)) best = cell;
    }
    return best;
}

// Before any peak: everything comes after it.
FASTPOSE_HD inline Candidate before_all() noexcept { return {std::numeric_limits<float>::infinity(), -1}; }

FASTPOSE_HD inline MapView bins_of(const MapView& map, int row, int part, int bodyparts, int bins) noexcept {
    return map.from((static_cast<std::int64_t>(row) * bodyparts + part) * bins);
}

// Sum of exp(temperature * (logit - maximum)) over every step-th bin.
FASTPOSE_HD inline float strided_mass(const MapView& map, int bins, float maximum, float temperature,
                                      int first, int step) noexcept {
    float sum = 0;
    for (int i = first; i < bins; i += step) {
        const float logit = map[i];
        if (!std::isnan(logit)) sum += std::exp(temperature * (logit - maximum));
    }
    return sum;
}

// mass_x, mass_y: sums over all bins; without a softmax not used.
FASTPOSE_HD inline Keypoint simcc_keypoint(const SimccArguments& spec, int row, const Candidate& column,
                                           const Candidate& line, float mass_x, float mass_y) noexcept {
    if (!std::isfinite(column.value) || !std::isfinite(line.value)) return missing_keypoint();
    const float sure_x = spec.softmax ? 1.0F / mass_x : spec.temperature * column.value;
    const float sure_y = spec.softmax ? 1.0F / mass_y : spec.temperature * line.value;
    const float likelihood = sure_y < sure_x ? sure_y : sure_x;
    const float chance = spec.softmax ? 1.0F / static_cast<float>(spec.bins_x) : 0.0F;
    if (!(likelihood > chance)) return missing_keypoint();
    return in_frame(spec.parameters[row], static_cast<float>(column.index) / spec.split_ratio,
                    static_cast<float>(line.index) / spec.split_ratio, likelihood);
}

}  // namespace fastpose
