// What counts as a missing keypoint.
#include "pose/pose.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace fastpose {

bool is_missing(const Keypoint& keypoint) noexcept {
    return std::isnan(keypoint.x) || std::isnan(keypoint.y);
}

void make_missing(const PoseView& pose) noexcept {
    constexpr float nan = std::numeric_limits<float>::quiet_NaN();
    std::fill_n(pose.keypoints, pose.size(), Keypoint{nan, nan, nan});
}

}  // namespace fastpose
