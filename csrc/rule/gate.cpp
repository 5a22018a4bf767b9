// Which keypoints of which individuals a condition looks at.
#include "rule/gate.h"

#include <cmath>

#include "base/check.h"

namespace fastpose {

Gate::Gate(const GateSpec& spec, int individuals, int bodyparts)
    : min_likelihood_(static_cast<float>(spec.min_likelihood)),
      individual_(spec.individual),
      all_(spec.all),
      individuals_(individuals),
      animals_(spec.unique_bodyparts > 0 ? individuals - 1 : individuals),
      bodyparts_(bodyparts),
      common_(bodyparts - spec.unique_bodyparts),
      calibration_(spec.calibration) {
    require_at_least("bodyparts", bodyparts, 1);
    require_between("unique_bodyparts", spec.unique_bodyparts, 0, bodyparts - 1);
    require_at_least("individuals", individuals, spec.unique_bodyparts > 0 ? 2 : 1);
    require_between("min_likelihood", spec.min_likelihood, 0, 1);
    if (individual_) require_index("individual", *individual_, individuals);
}

void Gate::require_bodypart(int bodypart) const {
    require_index("bodypart", bodypart, bodyparts_);
    const bool unique_alone = individual_ && *individual_ == animals_;
    if (unique_alone) require_between("bodypart", bodypart, common_, bodyparts_ - 1);
}

const Keypoint* Gate::visible(const PoseView& pose, int individual, int bodypart) const noexcept {
    const int row = bodypart < common_ ? individual : animals_;
    if (row >= pose.individuals || bodypart >= pose.bodyparts) return nullptr;
    const Keypoint& keypoint = pose.at(row, bodypart);
    const bool seen = std::isfinite(keypoint.x) && std::isfinite(keypoint.y);
    return seen && keypoint.likelihood >= min_likelihood_ ? &keypoint : nullptr;
}

std::optional<Place> Gate::place(const PoseView& pose, int individual, int bodypart) const noexcept {
    const Keypoint* keypoint = visible(pose, individual, bodypart);
    if (!keypoint) return std::nullopt;
    const Place place = in_unit({keypoint->x, keypoint->y});
    if (std::isnan(place.x)) return std::nullopt;
    return place;
}

}  // namespace fastpose
