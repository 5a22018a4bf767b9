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
    const float score = scores[static_cast<std::size_t>(row) * spec.width + column];
    for (int y = top; y <= bottom; ++y) {
        const float* line = scores + static_cast<std::size_t>(y) * spec.width;
        for (int x = left; x <= right; ++x)
            if (!(line[x] <= score)) return false;
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
    int count = 0;
    for (int row = 0; row < spec.height; ++row) {
        const float* line = scores + static_cast<std::size_t>(row) * spec.width;
        for (int column = 0; column < spec.width; ++column) {
            const float score = line[column];
            if (!(score >= spec.min_score) || !std::isfinite(score)) continue;
            if (is_peak(scores, spec, row, column))
                count = insert(peaks, count, {row, column, score}, spec.most);
        }
    }
    return count;
}

}  // namespace fastpose
