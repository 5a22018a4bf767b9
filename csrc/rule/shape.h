// Questions on a body's shape: its length, and how near it is to a posture.
#pragma once
#include <array>
#include <memory>
#include <vector>

#include "rule/question.h"

namespace fastpose {

// The way along the bodyparts in their order, at least two. Missing while one of them is.
struct BodyLengthSpec {
    std::vector<int> bodyparts{};
    LimitSpec limit{};  // px, mm
};
[[nodiscard]] std::unique_ptr<Question> make_body_length(const BodyLengthSpec& spec, const Gate& gate);

// Root mean square distance between the bodyparts and a template that is laid over them: shifted, if `turn`
// turned, if `scale` brought to their size, as fits best (ordinary Procrustes analysis; Gower, "Generalized
// Procrustes analysis", Psychometrika 40, 1975; in the plane in closed form). Missing while a bodypart is.
struct PostureSpec {
    std::vector<int> bodyparts{};                 // at least 3
    std::vector<std::array<double, 2>> places{};  // of the template, one a bodypart, in the gate's unit
    bool turn = true;
    bool scale = false;
    LimitSpec limit{};
};
[[nodiscard]] std::unique_ptr<Question> make_posture(const PostureSpec& spec, const Gate& gate);

}  // namespace fastpose
