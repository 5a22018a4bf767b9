// Question: are bodyparts in, or outside, a zone?
#include "rule/in_zone.h"

#include <string>

#include "base/check.h"

namespace fastpose {
namespace {

class InZone final : public Question {
  public:
    InZone(const InZoneSpec& spec, const Gate& gate) : spec_(spec), gate_(gate) {}

    Truth ask(const RuleInput& input, int individual, bool active) noexcept override {
        const double margin = active ? spec_.hysteresis : 0;
        return spec_.which == Which::any ? any(input.pose, individual, margin)
                                         : all(input.pose, individual, margin);
    }

  private:
    Truth any(const PoseView& pose, int individual, double margin) const noexcept {
        Truth found = Truth::missing;
        for (const int bodypart : spec_.bodyparts) {
            const Truth truth = test(pose, individual, bodypart, margin);
            if (truth == Truth::yes) return truth;
            if (truth == Truth::no) found = truth;
        }
        return found;
    }

    Truth all(const PoseView& pose, int individual, double margin) const noexcept {
        Truth found = Truth::yes;
        for (const int bodypart : spec_.bodyparts) {
            const Truth truth = test(pose, individual, bodypart, margin);
            if (truth == Truth::no) return truth;
            if (truth == Truth::missing) found = truth;
        }
        return found;
    }

    Truth test(const PoseView& pose, int individual, int bodypart, double margin) const noexcept {
        const auto place = gate_.place(pose, individual, bodypart);
        if (!place) return Truth::missing;
        const bool in = spec_.outside ? !spec_.zone->contains(place->x, place->y, -margin)
                                      : spec_.zone->contains(place->x, place->y, margin);
        return in ? Truth::yes : Truth::no;
    }

    InZoneSpec spec_;
    Gate gate_;
};

}  // namespace

std::unique_ptr<Question> make_in_zone(const InZoneSpec& spec, const Gate& gate) {
    if (!spec.zone) throw ConfigError("zone is not given; allowed: a zone");
    if (spec.bodyparts.empty()) throw ConfigError("bodyparts is empty; allowed: at least one bodypart");
    for (const int bodypart : spec.bodyparts) gate.require_bodypart(bodypart);
    require_at_least(std::string("hysteresis_") + gate.unit(), spec.hysteresis, 0);
    return std::make_unique<InZone>(spec, gate);
}

}  // namespace fastpose
