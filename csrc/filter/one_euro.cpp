// The One-Euro filter: a low-pass whose cutoff rises with speed, so that rest is smooth and motion lags
// little.
//
// Casiez, Roussel, Vogel: "1 Euro Filter: A Simple Speed-based Low-pass Filter for Noisy Input in Interactive
// Systems", CHI 2012, doi:10.1145/2207676.2208639, algorithm 1. Its fixed rate is replaced by the real time
// step between exposures, so dropped frames and irregular cameras are filtered rightly.
#include "filter/filter.h"

#include <cmath>
#include <numbers>

#include "base/check.h"
#include "filter/per_keypoint.h"

namespace fastpose {
namespace {

struct Axis {
    double position = 0;  // px, filtered
    double speed = 0;     // px/s, filtered
};

// Weight of the new value in exponential smoothing; Casiez 2012, equation 6.
double smoothing_factor(double cutoff_hz, double step_s) noexcept {
    const double time_constant_s = 1.0 / (2.0 * std::numbers::pi * cutoff_hz);
    return 1.0 / (1.0 + time_constant_s / step_s);
}

class OneEuro {
  public:
    struct State {
        Axis x, y;
    };

    explicit OneEuro(const OneEuroSpec& spec) : spec_(spec) {
        require_above("min_cutoff_hz", spec.min_cutoff_hz, 0);
        require_at_least("beta", spec.beta, 0);
        require_above("derivative_cutoff_hz", spec.derivative_cutoff_hz, 0);
    }

    bool is_usable(const Keypoint&) const noexcept { return true; }

    void start(State& state, const Keypoint& keypoint) const noexcept {
        state = State{{keypoint.x, 0}, {keypoint.y, 0}};
    }

    void update(State& state, const Keypoint& keypoint, double step_s) const noexcept {
        const double speed_weight = smoothing_factor(spec_.derivative_cutoff_hz, step_s);
        update(state.x, keypoint.x, step_s, speed_weight);
        update(state.y, keypoint.y, step_s, speed_weight);
    }

    void write(const State& state, Keypoint& keypoint) const noexcept {
        keypoint.x = static_cast<float>(state.x.position);
        keypoint.y = static_cast<float>(state.y.position);
    }

  private:
    void update(Axis& axis, double measured, double step_s, double speed_weight) const noexcept {
        const double raw_speed = (measured - axis.position) / step_s;
        axis.speed += speed_weight * (raw_speed - axis.speed);
        const double cutoff_hz = spec_.min_cutoff_hz + spec_.beta * std::abs(axis.speed);
        axis.position += smoothing_factor(cutoff_hz, step_s) * (measured - axis.position);
    }

    OneEuroSpec spec_;
};

}  // namespace

std::unique_ptr<Filter> make_one_euro(const OneEuroSpec& spec, int individuals, int bodyparts) {
    return std::make_unique<PerKeypoint<OneEuro>>(OneEuro(spec), spec.max_gap_ms, individuals, bodyparts);
}

}  // namespace fastpose
