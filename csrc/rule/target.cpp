// Distances from a bodypart to its targets.
#include "rule/target.h"

#include <cmath>

#include "base/check.h"

namespace fastpose {
namespace {

TargetSpec checked(TargetSpec spec, int bodypart, const Gate& gate) {
    gate.require_bodypart(bodypart);
    if (spec.point) {
        require_coordinate("point x", (*spec.point)[0]);
        require_coordinate("point y", (*spec.point)[1]);
        spec.whose = Whose::own;
        return spec;
    }
    gate.require_bodypart(spec.bodypart);
    if (spec.whose == Whose::named) require_index("to.individual", spec.individual, gate.individuals());
    if (spec.whose == Whose::others && gate.animals() < 2)
        throw ConfigError("to.individual is other, and there is one animal; allowed: self, or a point");
    if (spec.whose == Whose::own && spec.bodypart == bodypart)
        throw ConfigError("to.bodypart is the bodypart itself; allowed: another one");
    return spec;
}

}  // namespace

Target::Target(const TargetSpec& spec, int bodypart, const Gate& gate)
    : spec_(checked(spec, bodypart, gate)), bodypart_(bodypart), gate_(gate) {}

double Target::distance(const PoseView& pose, int individual, int target) const noexcept {
    const auto from = gate_.place(pose, individual, bodypart_);
    const auto to = place(pose, individual, target);
    if (!from || !to) return std::numeric_limits<double>::quiet_NaN();
    return std::hypot(to->x - from->x, to->y - from->y);
}

std::optional<Place> Target::place(const PoseView& pose, int individual, int target) const noexcept {
    if (spec_.point) return Place{(*spec_.point)[0], (*spec_.point)[1]};
    if (spec_.whose == Whose::own) return gate_.place(pose, individual, spec_.bodypart);
    const int whose = spec_.whose == Whose::named ? spec_.individual : target;
    if (whose == individual) return std::nullopt;
    return gate_.place(pose, whose, spec_.bodypart);
}

}  // namespace fastpose
