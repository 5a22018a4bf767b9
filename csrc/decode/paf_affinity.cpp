// The line integral of a part affinity field between two peaks.
#include "decode/paf_affinity.h"

#include <cmath>
#include <cstddef>

#include "decode/limb_affinity.h"

namespace fastpose {

PafAffinity::PafAffinity(int width, int height, int points)
    : width_(width), cells_(static_cast<std::size_t>(width) * height), fractions_(points) {
    const float step = 1.0F / static_cast<float>(points - 1);
    for (int i = 0; i < points; ++i) {  // from both ends, so that the last is 1
        const auto before = static_cast<float>(i), behind = static_cast<float>(points - 1 - i);
        fractions_[i] = i < points / 2 ? step * before : std::fma(-step, behind, 1.0F);
    }
}

float PafAffinity::operator()(const float* field, const PafPeak& from, const PafPeak& to) const noexcept {
    return limb_affinity(field, width_, static_cast<std::int64_t>(cells_), fractions_.data(),
                         static_cast<int>(fractions_.size()), {from.row, from.column}, {to.row, to.column});
}

}  // namespace fastpose
