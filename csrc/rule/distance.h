// Question: are two bodyparts of one individual nearer, or farther apart, than a limit?
#pragma once
#include <array>
#include <memory>

#include "rule/question.h"

namespace fastpose {

struct DistanceSpec {
    std::array<int, 2> bodyparts{0, 1};  // indices into the pose
    LimitSpec limit{};                   // px, mm
};

// Missing while either bodypart is. Throws ConfigError.
[[nodiscard]] std::unique_ptr<Question> make_distance(const DistanceSpec& spec, const Gate& gate);

}  // namespace fastpose
