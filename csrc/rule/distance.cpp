// Condition: two bodyparts of one individual are nearer, or farther apart, than a limit.
#include "rule/distance.h"

#include <cmath>
#include <string>

#include "base/check.h"
#include "rule/threshold.h"

namespace fastpose {
namespace {

class Distance final : public Condition {
  public:
    Distance(std::array<int, 2> bodyparts, const Gate& gate, const Threshold& threshold)
        : bodyparts_(bodyparts), gate_(gate), threshold_(threshold) {}

    Truth evaluate(const PoseView& pose, std::int64_t, bool active) noexcept override {
        return gate_.evaluate([&](int individual) {
            const Keypoint* a = gate_.visible(pose, individual, bodyparts_[0]);
            const Keypoint* b = gate_.visible(pose, individual, bodyparts_[1]);
            if (!a || !b) return Truth::missing;
            return threshold_.test(std::hypot(double{a->x} - b->x, double{a->y} - b->y), active);
        });
    }

    void reset() noexcept override {}

  private:
    std::array<int, 2> bodyparts_;
    Gate gate_;
    Threshold threshold_;
};

}  // namespace

std::unique_ptr<Condition> make_distance(const DistanceSpec& spec, int individuals, int bodyparts) {
    const Gate gate(spec.gate, individuals, bodyparts);
    for (const int bodypart : spec.bodyparts) gate.require_bodypart(bodypart);
    if (spec.bodyparts[0] == spec.bodyparts[1]) {
        throw ConfigError("bodyparts names " + std::to_string(spec.bodyparts[0]) +
                          " twice; allowed: two different bodyparts");
    }
    const Threshold threshold(spec.above_px, spec.below_px, spec.hysteresis_px, "px");
    return std::make_unique<Distance>(spec.bodyparts, gate, threshold);
}

}  // namespace fastpose
