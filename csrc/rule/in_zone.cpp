// Condition: bodyparts in, or outside, a zone.
#include "rule/in_zone.h"

#include "base/check.h"

namespace fastpose {
namespace {

class InZone final : public Condition {
  public:
    InZone(const InZoneSpec& spec, const Gate& gate) : spec_(spec), gate_(gate) {}

    Truth evaluate(const PoseView& pose, std::int64_t, bool active) noexcept override {
        const double margin_px = active ? spec_.hysteresis_px : 0;
        return gate_.evaluate([&](int individual) {
            return spec_.which == Which::any ? any(pose, individual, margin_px)
                                             : all(pose, individual, margin_px);
        });
    }

    void reset() noexcept override {}

  private:
    Truth any(const PoseView& pose, int individual, double margin_px) const noexcept {
        Truth found = Truth::missing;
        for (const int bodypart : spec_.bodyparts) {
            const Truth truth = test(pose, individual, bodypart, margin_px);
            if (truth == Truth::yes) return truth;
            if (truth == Truth::no) found = truth;
        }
        return found;
    }

    Truth all(const PoseView& pose, int individual, double margin_px) const noexcept {
        Truth found = Truth::yes;
        for (const int bodypart : spec_.bodyparts) {
            const Truth truth = test(pose, individual, bodypart, margin_px);
            if (truth == Truth::no) return truth;
            if (truth == Truth::missing) found = truth;
        }
        return found;
    }

    Truth test(const PoseView& pose, int individual, int bodypart, double margin_px) const noexcept {
        const Keypoint* keypoint = gate_.visible(pose, individual, bodypart);
        if (!keypoint) return Truth::missing;
        const bool in = spec_.outside ? !spec_.zone->contains(keypoint->x, keypoint->y, -margin_px)
                                      : spec_.zone->contains(keypoint->x, keypoint->y, margin_px);
        return in ? Truth::yes : Truth::no;
    }

    InZoneSpec spec_;
    Gate gate_;
};

}  // namespace

std::unique_ptr<Condition> make_in_zone(const InZoneSpec& spec, int individuals, int bodyparts) {
    const Gate gate(spec.gate, individuals, bodyparts);
    if (!spec.zone) throw ConfigError("zone is not given; allowed: a polygon, circle or rectangle");
    if (spec.bodyparts.empty()) throw ConfigError("bodyparts is empty; allowed: at least one bodypart");
    for (const int bodypart : spec.bodyparts) gate.require_bodypart(bodypart);
    require_at_least("hysteresis_px", spec.hysteresis_px, 0);
    return std::make_unique<InZone>(spec, gate);
}

}  // namespace fastpose
