// Condition: two bodyparts of one individual are nearer, or farther apart, than a limit.
#pragma once
#include <array>
#include <memory>
#include <optional>

#include "rule/gate.h"

namespace fastpose {

struct DistanceSpec {
    std::array<int, 2> bodyparts{0, 1};  // indices into the pose
    std::optional<double> above_px{};
    std::optional<double> below_px{};
    double hysteresis_px = 0;
    GateSpec gate{};
};

// Missing while either bodypart is. Throws ConfigError.
[[nodiscard]] std::unique_ptr<Condition> make_distance(const DistanceSpec& spec, int individuals,
                                                       int bodyparts);

}  // namespace fastpose
