// Local maxima, kept in order while they are found.
#include "decode/paf_peaks.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace fastpose {
namespace {

bool is_peak(const float* scores, const PafPeakSpec& spec, int row, int column) noexcept {
    const int reach = spec.nms_size / 2;
    const int top = std::max(0, row - reach), bottom = std::min(spec.height - 1, row + reach);
    const int left = std::max(0, column - reach), right = std::min(spec.width - 1, column + reach);
    const float* line = scores + static_cast<std::size_t>(row) * spec.width;
    const float score = line[column];
    if (!(line[std::max(left, column - 1)] <= score && line[std::min(right, column + 1)] <= score))
        return false;  // as on most slopes: the whole window is for the few that are left
    for (int y = top; y <= bottom; ++y) {
        const float* other = scores + static_cast<std::size_t>(y) * spec.width;
        for (int x = left; x <= right; ++x)
            if (!(other[x] <= score)) return false;
    }
    return true;
}

// Keeps `peaks` sorted; the later of equal ones comes last.
int insert(std::span<PafPeak> peaks, int count, const PafPeak& peak, int most) noexcept {
    int at = count;
    while (at > 0 && peaks[at - 1].score < peak.score) --at;
    if (at >= most) return count;
    const int kept = std::min(count, most - 1);
    std::copy_backward(peaks.begin() + at, peaks.begin() + kept, peaks.begin() + kept + 1);
    peaks[at] = peak;
    return kept + 1;
}

}  // namespace

int find_paf_peaks(const float* scores, const PafPeakSpec& spec, std::span<PafPeak> peaks) noexcept {
    const auto width = static_cast<std::size_t>(spec.width), cells = width * spec.height;
    int count = 0;
    for (std::size_t cell = 0;; ++cell) {
        cell = spec.kernels.next_at_least(scores, cell, cells, spec.min_score);
        if (cell >= cells) return count;
        const auto row = static_cast<int>(cell / width), column = static_cast<int>(cell % width);
        if (std::isfinite(scores[cell]) && is_peak(scores, spec, row, column))
            count = insert(peaks, count, {row, column, scores[cell]}, spec.most);
    }
}

}  // namespace fastpose
