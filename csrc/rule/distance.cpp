// Question: are two bodyparts of one individual nearer, or farther apart, than a limit?
#include "rule/distance.h"

#include <cmath>
#include <limits>
#include <string>

#include "base/check.h"

namespace fastpose {
namespace {

class Distance final : public Compared {
  public:
    Distance(const DistanceSpec& spec, const Gate& gate)
        : Compared(Threshold(spec.limit)), bodyparts_(spec.bodyparts), gate_(gate) {}

  private:
    double value(const RuleInput& input, int individual) noexcept override {
        const auto a = gate_.place(input.pose, individual, bodyparts_[0]);
        const auto b = gate_.place(input.pose, individual, bodyparts_[1]);
        if (!a || !b) return std::numeric_limits<double>::quiet_NaN();
        return std::hypot(a->x - b->x, a->y - b->y);
    }

    std::array<int, 2> bodyparts_;
    Gate gate_;
};

}  // namespace

std::unique_ptr<Question> make_distance(const DistanceSpec& spec, const Gate& gate) {
    for (const int bodypart : spec.bodyparts) gate.require_bodypart(bodypart);
    if (spec.bodyparts[0] == spec.bodyparts[1]) {
        throw ConfigError("bodyparts names " + std::to_string(spec.bodyparts[0]) +
                          " twice; allowed: two different bodyparts");
    }
    return std::make_unique<Distance>(spec, gate);
}

}  // namespace fastpose
