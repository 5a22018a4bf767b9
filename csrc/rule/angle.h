// Question: is an angle between bodyparts, to a place, or to a fixed heading, smaller or larger than a limit?
#pragma once
#include <array>
#include <memory>
#include <optional>
#include <vector>

#include "rule/question.h"

namespace fastpose {

// Three forms, all 0..180 degrees without a sign:
//   bodyparts [a, b, c]                    the angle at b between b->a and b->c
//   bodyparts [from, to] and point         between from->to and to->point
//   bodyparts [from, to] and heading_deg   between from->to and that heading
struct AngleSpec {
    std::vector<int> bodyparts{};                  // indices into the pose
    std::optional<std::array<double, 2>> point{};  // x, y in the gate's unit
    std::optional<double> heading_deg{};           // atan2(dy, dx) in image axes: 0 right, 90 down
    LimitSpec limit{.unit = "deg"};
};

// Missing while a bodypart is, or while two places coincide and there is no direction. Throws ConfigError.
[[nodiscard]] std::unique_ptr<Question> make_angle(const AngleSpec& spec, const Gate& gate);

}  // namespace fastpose
