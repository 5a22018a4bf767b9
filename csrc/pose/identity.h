// Which animal is which: keeps slot i of a pose the same animal from frame to frame.
#pragma once
#include <cstdint>
#include <memory>

#include "pose/pose.h"

namespace fastpose {

struct IdentitySpec {
    double min_likelihood = 0.1;     // keypoints below are not compared
    double max_gap_ms = 2000;        // an animal lost for longer may turn up anywhere
    double velocity_window_ms = 50;  // time constant of the mean velocity that predicts
    double tolerance = 0.3;          // body sizes that a keypoint may lie off its prediction
    int unique_bodyparts = 0;  // the last ones, of which the last individual has all and the others none
};

// Thread-bound; allocates nothing after construction.
class Identity {
  public:
    virtual ~Identity() = default;
    // Permutes the individuals of the pose in place; no keypoint is changed. Times are exposure starts (host
    // ns); one not later than the last begins anew.
    virtual void apply(PoseView pose, std::int64_t exposure_start_ns) noexcept = 0;
    virtual void reset() noexcept = 0;
    // Keypoints it was made for (individuals x bodyparts); a pose of another size is left as it is.
    [[nodiscard]] virtual int size() const noexcept = 0;
};

// Each animal's keypoints are predicted with its velocity and compared with those of every detection; the
// assignment with the least sum of differences wins. An animal that is not seen keeps its slot free; one that
// comes back within max_gap_ms is expected near where it was lost, later it takes any free slot. With unique
// body parts the last individual is no animal and stays where it is. Throws ConfigError.
[[nodiscard]] std::unique_ptr<Identity> make_motion_identity(const IdentitySpec& spec, int individuals,
                                                             int bodyparts);

}  // namespace fastpose
