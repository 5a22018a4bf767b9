// Smoothing of keypoints over time, and prediction to the moment of the effect.
#pragma once
#include <cstdint>
#include <memory>

#include "pose/pose.h"

namespace fastpose {

struct OneEuroSpec {                    // one independent filter per keypoint and axis
    double min_cutoff_hz = 1.0;         // smoothing at rest: lower is smoother
    double beta = 0.02;                 // Hz per px/s, how fast the cutoff opens with speed: higher lags less
    double derivative_cutoff_hz = 1.0;  // smoothing of the speed itself
    double max_gap_ms = 500;            // a keypoint missing for longer starts anew
};

struct KalmanSpec {                     // constant-velocity, one independent filter per keypoint and axis
    double process_noise = 5000.0;      // px^2/s^3, spectral density of white acceleration
    double measurement_noise_px = 2.0;  // standard deviation
    double horizon_ms = 0;              // predict this far beyond exposure_start
    bool automatic_horizon = false;     // predict as far as the delay is, see Note [Automatic horizon]
    double min_likelihood = 0;          // keypoints below are treated as missing
    double max_gap_ms = 500;            // a keypoint missing for longer starts anew
};

// Thread-bound; allocates nothing after construction. A NaN in one keypoint touches no other.
class Filter {
  public:
    virtual ~Filter() = default;
    // In place; times are exposure starts (host ns), strictly increasing; a missing keypoint stays NaN, a
    // likelihood is never touched. A time not later than the last one restarts the filter at this pose: a
    // clock that went back has no time step to filter with.
    virtual void apply(PoseView pose, std::int64_t exposure_start_ns) noexcept = 0;
    virtual void reset() noexcept = 0;
    // For a filter that predicts to the moment of the effect: what the network takes, before the first frame;
    // and after each frame when it was decided and acted (0: it was not).
    virtual void expect_delay(std::int64_t /*work_ns*/) noexcept {}
    virtual void learn_delay(std::int64_t /*exposure_start_ns*/, std::int64_t /*decided_ns*/,
                             std::int64_t /*acted_ns*/) noexcept {}
    // How far it predicts now.
    [[nodiscard]] virtual std::int64_t horizon_ns() const noexcept { return 0; }
    // Keypoints it was made for (individuals x bodyparts); a pose must have as many.
    [[nodiscard]] virtual int size() const noexcept = 0;
};

// Throw ConfigError for values out of range.
[[nodiscard]] std::unique_ptr<Filter> make_one_euro(const OneEuroSpec& spec, int individuals, int bodyparts);
[[nodiscard]] std::unique_ptr<Filter> make_kalman(const KalmanSpec& spec, int individuals, int bodyparts);

}  // namespace fastpose
