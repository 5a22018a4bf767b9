// Keypoints of the individuals at one time.
#pragma once
#include <cstddef>

namespace fastpose {

struct Keypoint {
    float x;  // full-frame sensor px; NaN when missing
    float y;
    float likelihood;  // 0-1
};

// Non-owning view of a pose: individuals x bodyparts keypoints, row-major. The memory is allocated in set-up.
struct PoseView {
    Keypoint* keypoints = nullptr;
    int individuals = 0;
    int bodyparts = 0;

    [[nodiscard]] Keypoint& at(int individual, int bodypart) const noexcept {
        return keypoints[static_cast<std::size_t>(individual) * bodyparts + bodypart];
    }
    [[nodiscard]] int size() const noexcept { return individuals * bodyparts; }
};

[[nodiscard]] bool is_missing(const Keypoint& keypoint) noexcept;  // x or y is NaN
void make_missing(const PoseView& pose) noexcept;                  // all NaN

}  // namespace fastpose
