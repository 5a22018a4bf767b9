// Lists of peaks and of the affinities of their pairs, as kernels make them of the maps and as their twins on
// the host do. What they hold is bounded: so many peaks a body part, so many pairs a limb.
#pragma once
#include <cmath>
#include <cstdint>
#include <limits>

#include "decode/decode_kernel.h"
#include "decode/limb_affinity.h"
#include "decode/paf_lists.h"

namespace fastpose {

inline constexpr int list_taps = 11;  // of the Gaussian that calms the scores

// Where lists lie; all pointers are the device's.
struct ListsView {
    PeakEntry* peaks = nullptr;    // (N, K, most), highest first
    float* affinities = nullptr;   // (N, L, most, most)
    const int* limbs = nullptr;    // (L, 2) body parts
    int batch = 1, bodyparts = 0;  // N, K
    int limb_count = 0, most = 0;

    FASTPOSE_HD PeakEntry& peak(int row, int part, int rank) const noexcept {
        return peaks[(static_cast<std::int64_t>(row) * bodyparts + part) * most + rank];
    }
    FASTPOSE_HD float& affinity(int row, int limb, int i, int j) const noexcept {
        return affinities[((static_cast<std::int64_t>(row) * limb_count + limb) * most + i) * most + j];
    }
};

// See PafDecoderSpec; passed by value.
struct PafListArguments {
    ListsView lists;
    MapView heatmap, locref, fields;           // (N, K, h, w); (N, 2K, h, w) or no cells; (N, 2L, h, w)
    float *rows = nullptr, *scores = nullptr;  // (N, K, h, w): smoothed along x, and along both
    int height = 0, width = 0;                 // cells
    float stride = 8, locref_stdev = 0;
    bool sigmoid = true;
    int nms_size = 5;
    float min_score = 0;
    int reach = 0;                  // taps that count on each side of the middle one
    float weights[list_taps] = {};  // of the Gaussian
    int points = 10;                // of a limb
    float fractions[most_points_per_limb] = {};
};

// See PafTreeSpec; passed by value.
struct PafTreeListArguments {
    ListsView lists;
    MapView heatmap, fields;    // (N, K, h, w); (N, 2L, lh, lw)
    int height = 0, width = 0;  // cells of the heatmap
    float stride = 2;
    int window = 5;
    float min_score = 0;
    TreeField field;
};

FASTPOSE_HD inline PeakEntry no_peak() noexcept {
    const float nan = std::numeric_limits<float>::quiet_NaN();
    return {nan, nan, 0, -1};
}

FASTPOSE_HD inline std::int64_t cells_of(const PafListArguments& spec) noexcept {
    return static_cast<std::int64_t>(spec.height) * spec.width;
}

FASTPOSE_HD inline std::int64_t cells_of_all(const PafListArguments& spec) noexcept {
    return cells_of(spec) * spec.lists.batch * spec.lists.bodyparts;
}

// What a list does not hold from `first` on; every step-th.
FASTPOSE_HD inline void end_list(const ListsView& lists, int row, int part, int first, int step) noexcept {
    for (int rank = first; rank < lists.most; rank += step) lists.peak(row, part, rank) = no_peak();
}

// Scores of a cell among those of all maps, smoothed along x; zeros lie around a map.
FASTPOSE_HD inline float smoothed_along_x(const PafListArguments& spec, std::int64_t cell) noexcept {
    const int column = static_cast<int>(cell % spec.width);
    const MapView line = spec.heatmap.from(cell - column);
    const ScoreActivation activation = spec.sigmoid ? ScoreActivation::sigmoid : ScoreActivation::none;
    float sum = 0;
    for (int step = -spec.reach; step <= spec.reach; ++step) {
        const int x = column + step;
        if (x >= 0 && x < spec.width)
            sum += spec.weights[list_taps / 2 + step] * activated_score(activation, line[x]);
    }
    return sum;
}

FASTPOSE_HD inline float smoothed_along_y(const PafListArguments& spec, std::int64_t cell) noexcept {
    const int row = static_cast<int>(cell / spec.width % spec.height);
    float sum = 0;
    for (int step = -spec.reach; step <= spec.reach; ++step)
        if (row + step >= 0 && row + step < spec.height)
            sum += spec.weights[list_taps / 2 + step] * spec.rows[cell + step * spec.width];
    return sum;
}

// The smoothed scores as maps in which peaks are sought.
FASTPOSE_HD inline MapArguments score_maps(const PafListArguments& spec) noexcept {
    MapArguments maps;
    maps.heatmap = {spec.scores, DeviceElement::f32};
    maps.bodyparts = spec.lists.bodyparts;
    maps.height = spec.height;
    maps.width = spec.width;
    maps.window = spec.nms_size;
    maps.min_score = spec.min_score;
    return maps;
}

// A peak where DeepLabCut places it: the centre of its cell, and the offset from there.
FASTPOSE_HD inline PeakEntry paf_entry(const PafListArguments& spec, int row, int part,
                                       const Candidate& peak) noexcept {
    if (!std::isfinite(peak.value)) return no_peak();
    const float half = std::floor(spec.stride / 2);
    PeakEntry entry{static_cast<float>(peak.index % spec.width) * spec.stride + half,
                    static_cast<float>(peak.index / spec.width) * spec.stride + half, peak.value,
                    static_cast<float>(peak.index)};
    if (spec.locref.cells == nullptr) return entry;
    const std::int64_t map =
        (static_cast<std::int64_t>(row) * spec.lists.bodyparts + part) * 2 * cells_of(spec) + peak.index;
    entry.x += spec.locref[map] * spec.locref_stdev;
    entry.y += spec.locref[map + cells_of(spec)] * spec.locref_stdev;
    return entry;
}

FASTPOSE_HD inline MapCell cell_of(const PeakEntry& entry, int width) noexcept {
    const int cell = static_cast<int>(entry.cell);
    return {cell / width, cell % width};
}

FASTPOSE_HD inline float paf_affinity(const PafListArguments& spec, int row, int limb, int i,
                                      int j) noexcept {
    const PeakEntry from = spec.lists.peak(row, spec.lists.limbs[2 * limb], i);
    const PeakEntry to = spec.lists.peak(row, spec.lists.limbs[2 * limb + 1], j);
    if (from.cell < 0 || to.cell < 0) return 0;
    const std::int64_t map = static_cast<std::int64_t>(row) * spec.lists.limb_count + limb;
    return limb_affinity(spec.fields.from(2 * map * cells_of(spec)), spec.width, cells_of(spec),
                         spec.fractions, spec.points, cell_of(from, spec.width), cell_of(to, spec.width));
}

FASTPOSE_HD inline MapView map_of(const PafTreeListArguments& spec, int row, int part) noexcept {
    const std::int64_t map = static_cast<std::int64_t>(row) * spec.lists.bodyparts + part;
    return spec.heatmap.from(map * spec.height * spec.width);
}

// Whether a cell is higher than its eight neighbours; of equal ones the first in row-major order is.
FASTPOSE_HD inline bool highest_of_nine(const PafTreeListArguments& spec, const MapView& map,
                                        int index) noexcept {
    const int line = index / spec.width, column = index % spec.width;
    const int top = line > 0 ? line - 1 : 0, left = column > 0 ? column - 1 : 0;
    const int bottom = line + 1 < spec.height ? line + 1 : line;
    const int right = column + 1 < spec.width ? column + 1 : column;
    const float value = map[index];
    for (int r = top; r <= bottom; ++r)
        for (int c = left; c <= right; ++c) {
            const int at = r * spec.width + c;
            if (map[at] > value || (at < index && map[at] == value)) return false;
        }
    return true;
}

// At the weighted mean of the window around its cell, without half a cell.
FASTPOSE_HD inline PeakEntry tree_entry(const PafTreeListArguments& spec, const MapView& map,
                                        const Candidate& peak) noexcept {
    if (peak.index < 0 || peak.index >= spec.height * spec.width) return no_peak();
    const PeakPlace place = refined_place(map, spec.height, spec.width, peak.index / spec.width,
                                          peak.index % spec.width, spec.window);
    const PeakEntry entry{place.x * spec.stride, place.y * spec.stride, peak.value,
                          static_cast<float>(peak.index)};
    return std::isfinite(entry.x) && std::isfinite(entry.y) ? entry : no_peak();
}

// The highest peak among every step-th cell that comes after `last` in the order of `better`.
FASTPOSE_HD inline Candidate strided_tree_peak(const PafTreeListArguments& spec, const MapView& map,
                                               const Candidate& last, int first, int step) noexcept {
    Candidate best;
    for (int i = first; i < spec.height * spec.width; i += step) {
        const Candidate cell{map[i], i};
        if (!(cell.value > spec.min_score) || !better(last, cell) || !better(cell, best)) continue;
        if (highest_of_nine(spec, map, i) && tree_entry(spec, map, cell).cell >= 0) best = cell;
    }
    return best;
}

FASTPOSE_HD inline float paf_affinity(const PafTreeListArguments& spec, int row, int limb, int i,
                                      int j) noexcept {
    const PeakEntry from = spec.lists.peak(row, spec.lists.limbs[2 * limb], i);
    const PeakEntry to = spec.lists.peak(row, spec.lists.limbs[2 * limb + 1], j);
    if (from.cell < 0 || to.cell < 0) return 0;
    const std::int64_t map = static_cast<std::int64_t>(row) * spec.lists.limb_count + limb;
    const std::int64_t cells = static_cast<std::int64_t>(spec.field.height) * spec.field.width;
    return tree_affinity(spec.fields.from(2 * map * cells), spec.field, from.x, from.y, to.x, to.y);
}

}  // namespace fastpose
