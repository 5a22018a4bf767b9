// Condition: a bodypart moves faster, or slower, than a limit.
#pragma once
#include <memory>
#include <optional>

#include "rule/gate.h"

namespace fastpose {

struct SpeedSpec {
    int bodypart = 0;  // index into the pose
    std::optional<double> above_px_s{};
    std::optional<double> below_px_s{};
    double window_ms = 50;
    double hysteresis_px_s = 0;
    GateSpec gate{};
};

// Speed = straight way from the oldest position in the window to the present one, over the exposure time
// between them. The window spans time, not frames: drops make it sparser, not longer. Missing while the
// bodypart is, or while the window holds fewer than two positions. Throws ConfigError.
[[nodiscard]] std::unique_ptr<Condition> make_speed(const SpeedSpec& spec, int individuals, int bodyparts);

}  // namespace fastpose
