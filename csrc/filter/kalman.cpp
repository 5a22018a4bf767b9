// A constant-velocity Kalman filter per keypoint and axis, with prediction to the moment of the effect.
//
// State (position, velocity) driven by white-noise acceleration: Bar-Shalom, Li, Kirubarajan, "Estimation
// with Applications to Tracking and Navigation", Wiley 2001, section 6.2.2; the update is Kalman's standard
// form. The two axes of a keypoint share one covariance: it depends on times and noise only, and those are
// the same for both. Everything is closed 2x2, so the cost is linear in the keypoints and no keypoint can
// reach another.
#include "filter/filter.h"

#include <cmath>

#include "base/check.h"
#include "filter/horizon.h"
#include "filter/per_keypoint.h"

namespace fastpose {
namespace {

// Spread of the unknown velocity at the start: a running animal crosses a frame in about a second.
constexpr double initial_speed_px_s = 500;

struct Axis {
    double position = 0;  // px
    double velocity = 0;  // px/s
};

struct Covariance {
    double position = 0;  // px^2
    double cross = 0;     // px^2/s
    double velocity = 0;  // px^2/s^2

    // F P F' + Q with F = [1 dt; 0 1] and Q = q [dt^3/3 dt^2/2; dt^2/2 dt].
    void predict(double dt, double q) noexcept {
        position += dt * (2 * cross + dt * velocity) + q * dt * dt * dt / 3;
        cross += dt * velocity + q * dt * dt / 2;
        velocity += q * dt;
    }
};

class Kalman {
  public:
    struct State {
        Axis x, y;
        Covariance covariance;
    };

    explicit Kalman(const KalmanSpec& spec)
        : process_noise_(spec.process_noise),
          measurement_variance_(spec.measurement_noise_px * spec.measurement_noise_px),
          horizon_(std::llround(spec.horizon_ms * 1e6), spec.automatic_horizon),
          min_likelihood_(static_cast<float>(spec.min_likelihood)) {
        require_above("process_noise", spec.process_noise, 0);
        require_above("measurement_noise_px", spec.measurement_noise_px, 0);
        require_between("horizon_ms", spec.horizon_ms, 0, 1000);
        require_between("min_likelihood", spec.min_likelihood, 0, 1);
    }

    bool is_usable(const Keypoint& keypoint) const noexcept { return keypoint.likelihood >= min_likelihood_; }

    void start(State& state, const Keypoint& keypoint) const noexcept {
        state = State{{keypoint.x, 0}, {keypoint.y, 0}, {}};
        state.covariance.position = measurement_variance_;
        state.covariance.velocity = initial_speed_px_s * initial_speed_px_s;
    }

    // The state predicts on through a gap: one prediction over the whole of it equals the many over its
    // frames.
    void update(State& state, const Keypoint& keypoint, double step_s) const noexcept {
        state.x.position += step_s * state.x.velocity;
        state.y.position += step_s * state.y.velocity;
        state.covariance.predict(step_s, process_noise_);
        correct(state, keypoint);
    }

    void write(const State& state, Keypoint& keypoint) const noexcept {
        const double horizon_s = static_cast<double>(horizon_.ns()) * 1e-9;
        keypoint.x = static_cast<float>(state.x.position + horizon_s * state.x.velocity);
        keypoint.y = static_cast<float>(state.y.position + horizon_s * state.y.velocity);
    }

    void expect_delay(std::int64_t work_ns) noexcept { horizon_.expect(work_ns); }
    void learn_delay(std::int64_t exposure_start_ns, std::int64_t decided_ns,
                     std::int64_t acted_ns) noexcept {
        horizon_.learn(exposure_start_ns, decided_ns, acted_ns);
    }
    std::int64_t horizon_ns() const noexcept { return horizon_.ns(); }

  private:
    // With a positive measurement variance the standard form keeps a 2x2 covariance positive definite.
    void correct(State& state, const Keypoint& measured) const noexcept {
        Covariance& covariance = state.covariance;
        const double innovation_variance = covariance.position + measurement_variance_;
        const double position_gain = covariance.position / innovation_variance;
        const double velocity_gain = covariance.cross / innovation_variance;
        correct(state.x, measured.x, position_gain, velocity_gain);
        correct(state.y, measured.y, position_gain, velocity_gain);
        const double left =
            measurement_variance_ / innovation_variance;  // 1 - position_gain, without cancellation
        covariance.velocity -= velocity_gain * covariance.cross;
        covariance.position *= left;
        covariance.cross *= left;
    }

    static void correct(Axis& axis, double measured, double position_gain, double velocity_gain) noexcept {
        const double innovation = measured - axis.position;
        axis.position += position_gain * innovation;
        axis.velocity += velocity_gain * innovation;
    }

    double process_noise_;
    double measurement_variance_;  // px^2
    Horizon horizon_;
    float min_likelihood_;  // float as likelihoods are, so that 0.7 passes a gate of 0.7
};

}  // namespace

std::unique_ptr<Filter> make_kalman(const KalmanSpec& spec, int individuals, int bodyparts) {
    return std::make_unique<PerKeypoint<Kalman>>(Kalman(spec), spec.max_gap_ms, individuals, bodyparts);
}

}  // namespace fastpose
