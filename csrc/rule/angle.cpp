// Question: is an angle between bodyparts, to a place, or to a fixed heading, smaller or larger than a limit?
#include "rule/angle.h"

#include <cmath>
#include <numbers>
#include <set>
#include <string>

#include "base/check.h"
#include "rule/turn.h"

namespace fastpose {
namespace {

using Vector = Place;

enum class Form { joint, to_point, to_heading };

class Angle final : public Compared {
  public:
    Angle(const AngleSpec& spec, const Gate& gate)
        : Compared(Threshold(spec.limit, 180)), bodyparts_(spec.bodyparts), gate_(gate) {
        if (spec.point) {
            form_ = Form::to_point;
            target_ = {(*spec.point)[0], (*spec.point)[1]};
        } else if (spec.heading_deg) {
            const double heading = *spec.heading_deg * std::numbers::pi / 180;
            form_ = Form::to_heading;
            target_ = {std::cos(heading), std::sin(heading)};
        }
    }

  private:
    double value(const RuleInput& input, int individual) noexcept override {
        Vector at[3] = {};
        for (std::size_t i = 0; i < bodyparts_.size(); ++i) {
            const auto place = gate_.place(input.pose, individual, bodyparts_[i]);
            if (!place) return no_angle;
            at[i] = *place;
        }
        const Vector first = form_ == Form::joint ? way(at[1], at[0]) : way(at[0], at[1]);
        return std::abs(turn_deg(first, direction(at)));
    }

    Vector direction(const Vector* at) const noexcept {
        if (form_ == Form::joint) return way(at[1], at[2]);
        return form_ == Form::to_point ? way(at[1], target_) : target_;
    }

    std::vector<int> bodyparts_;
    Gate gate_;
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

std::unique_ptr<Question> make_angle(const AngleSpec& spec, const Gate& gate) {
    require_form(spec);
    for (const int bodypart : spec.bodyparts) gate.require_bodypart(bodypart);
    if (spec.point) {
        require_coordinate("point x", (*spec.point)[0]);
        require_coordinate("point y", (*spec.point)[1]);
    }
    if (spec.heading_deg) require_between("heading_deg", *spec.heading_deg, -360, 360);
    return std::make_unique<Angle>(spec, gate);
}

}  // namespace fastpose
