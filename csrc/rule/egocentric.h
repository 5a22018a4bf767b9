// Question: has an individual turned its head to a side?
#pragma once
#include <array>
#include <memory>

#include "rule/question.h"
#include "rule/turn.h"

namespace fastpose {

// The turn from bodyparts[0]->[1] (the body) to [1]->[2] (the head), to that side.
struct EgocentricSpec {
    std::array<int, 3> bodyparts{0, 1, 2};
    Side side = Side::both;
    LimitSpec limit{.unit = "deg"};
};

// Missing while a bodypart is, or while two places coincide. Throws ConfigError.
[[nodiscard]] std::unique_ptr<Question> make_egocentric(const EgocentricSpec& spec, const Gate& gate);

}  // namespace fastpose
