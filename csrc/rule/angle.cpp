// Condition: an angle between bodyparts, to a place, or to a fixed heading, is smaller or larger than a
// limit.
#include "rule/angle.h"

#include <cmath>
#include <numbers>
#include <set>
#include <string>

#include "base/check.h"
#include "rule/threshold.h"

namespace fastpose {
namespace {

struct Vector {
    double x, y;
};

Vector way(Vector from, Vector to) noexcept { return {to.x - from.x, to.y - from.y}; }

bool is_zero(Vector v) noexcept { return v.x == 0 && v.y == 0; }

// 0..180; atan2 of cross and dot product keeps its precision near 0 and 180, where an acos does not.
double angle_deg(Vector a, Vector b) noexcept {
    const double cross = a.x * b.y - a.y * b.x;
    const double dot = a.x * b.x + a.y * b.y;
    return std::atan2(std::abs(cross), dot) * 180 / std::numbers::pi;
}

enum class Form { joint, to_point, to_heading };

class Angle final : public Condition {
  public:
    Angle(const AngleSpec& spec, const Gate& gate, const Threshold& threshold)
        : bodyparts_(spec.bodyparts), gate_(gate), threshold_(threshold) {
        if (spec.point) {
            form_ = Form::to_point;
            target_ = {(*spec.point)[0], (*spec.point)[1]};
        } else if (spec.heading_deg) {
            const double heading = *spec.heading_deg * std::numbers::pi / 180;
            form_ = Form::to_heading;
            target_ = {std::cos(heading), std::sin(heading)};
        }
    }

    Truth evaluate(const PoseView& pose, std::int64_t, bool active) noexcept override {
        return gate_.evaluate([&](int individual) { return test(pose, individual, active); });
    }

    void reset() noexcept override {}

  private:
    Truth test(const PoseView& pose, int individual, bool active) const noexcept {
        Vector at[3] = {};
        for (std::size_t i = 0; i < bodyparts_.size(); ++i) {
            const Keypoint* keypoint = gate_.visible(pose, individual, bodyparts_[i]);
            if (!keypoint) return Truth::missing;
            at[i] = {keypoint->x, keypoint->y};
        }
        const Vector first = form_ == Form::joint ? way(at[1], at[0]) : way(at[0], at[1]);
        const Vector second = direction(at);
        if (is_zero(first) || is_zero(second)) return Truth::missing;
        return threshold_.test(angle_deg(first, second), active);
    }

    Vector direction(const Vector* at) const noexcept {
        if (form_ == Form::joint) return way(at[1], at[2]);
        return form_ == Form::to_point ? way(at[1], target_) : target_;
    }

    std::vector<int> bodyparts_;
    Gate gate_;
    Threshold threshold_;
    Form form_ = Form::joint;
    Vector target_{};  // a place in px, or a unit direction
};

void require_form(const AngleSpec& spec) {
    const std::size_t count = spec.bodyparts.size();
    const bool joint = count == 3 && !spec.point && !spec.heading_deg;
    const bool target = count == 2 && spec.point.has_value() != spec.heading_deg.has_value();
    if (!joint && !target) {
        throw ConfigError(
            "angle has " + std::to_string(count) + " bodyparts, " + (spec.point ? "a" : "no") +
            " point and " + (spec.heading_deg ? "a" : "no") +
            " heading_deg; allowed: three bodyparts alone, or two with either point or heading_deg");
    }
    const std::set<int> different(spec.bodyparts.begin(), spec.bodyparts.end());
    if (different.size() != count) {
        throw ConfigError("angle names a bodypart twice; allowed: different bodyparts");
    }
}

}  // namespace

std::unique_ptr<Condition> make_angle(const AngleSpec& spec, int individuals, int bodyparts) {
    const Gate gate(spec.gate, individuals, bodyparts);
    require_form(spec);
    for (const int bodypart : spec.bodyparts) gate.require_bodypart(bodypart);
    if (spec.point) {
        require_coordinate("point x", (*spec.point)[0]);
        require_coordinate("point y", (*spec.point)[1]);
    }
    if (spec.heading_deg) require_between("heading_deg", *spec.heading_deg, -360, 360);
    const Threshold threshold(spec.above_deg, spec.below_deg, spec.hysteresis_deg, "deg", 180);
    return std::make_unique<Angle>(spec, gate, threshold);
}

}  // namespace fastpose
