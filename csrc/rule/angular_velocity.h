// Question: does an individual, or a joint of it, turn faster, or slower, than a limit?
#pragma once
#include <memory>
#include <vector>

#include "rule/question.h"
#include "rule/turn.h"

namespace fastpose {

// The heading's rate of change over a window: of from->to (two bodyparts), or of the angle at the middle one
// of three, from b->a to b->c. Missing while a bodypart is, and with fewer than two headings in the window.
struct AngularVelocitySpec {
    std::vector<int> bodyparts{};
    Side side = Side::both;
    double window_ms = 100;
    LimitSpec limit{.unit = "deg_s"};
};
[[nodiscard]] std::unique_ptr<Question> make_angular_velocity(const AngularVelocitySpec& spec,
                                                              const Gate& gate);

}  // namespace fastpose
