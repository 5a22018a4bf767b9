// What counts as a missing keypoint.
#include "pose/pose.h"

#include <cmath>

namespace fastpose {

bool is_missing(const Keypoint& keypoint) noexcept {
    return std::isnan(keypoint.x) || std::isnan(keypoint.y);
}

}  // namespace fastpose
