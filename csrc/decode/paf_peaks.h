// Where the bodyparts of several animals may be: the highest local maxima of each score map.
#pragma once
#include <span>
#include <vector>

#include "decode/paf_kernels.h"

namespace fastpose {

struct PafPeak {
    int row = 0, column = 0;  // cells
    float score = 0;
};

struct PafPeakSpec {
    int width = 0, height = 0;  // cells
    int nms_size = 5;           // cells, odd
    float min_score = 0.01F;
    int most = 1;  // peaks that are kept
    PafKernels kernels = paf_kernels_for(Isa::scalar);
};

// The highest peaks of a map, highest first, equal ones in row-major order. A cell is a peak if nothing in
// its window is higher (or NaN); each cell of a plateau is one. Returns how many: at most spec.most, the size
// of `peaks`.
[[nodiscard]] int find_paf_peaks(const float* scores, const PafPeakSpec& spec,
                                 std::span<PafPeak> peaks) noexcept;

}  // namespace fastpose
