// One animal over time: where its keypoints were, and where they should be now.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "pose/pose.h"

namespace fastpose {

class Track {
  public:
    explicit Track(int bodyparts) : points_(bodyparts) {}

    void reset() noexcept;
    // Moves the track to this time. keypoints: of the animal; those with `usable` 0 are carried along.
    void follow(std::span<const Keypoint> keypoints, std::span<const char> usable, std::int64_t time_ns,
                double velocity_window_s) noexcept;
    // Mean over the common keypoints of a saturating difference, 0 (as predicted) to 1 (elsewhere). size_px:
    // of an animal's body.
    [[nodiscard]] double difference(std::span<const Keypoint> keypoints, std::span<const char> usable,
                                    std::int64_t time_ns, double tolerance_px) const noexcept;
    [[nodiscard]] bool started() const noexcept { return started_; }
    [[nodiscard]] std::int64_t last_ns() const noexcept { return last_ns_; }

  private:
    struct Place {
        double x = 0, y = 0;
        bool known = false;
    };

    std::vector<Place> points_;
    double velocity_x_ = 0, velocity_y_ = 0;  // px/s, of the body
    std::int64_t last_ns_ = 0;
    bool started_ = false;
};

}  // namespace fastpose
