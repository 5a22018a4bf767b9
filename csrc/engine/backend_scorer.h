// A network as the scorer of a classifier rule.
#pragma once
#include <memory>

#include "infer/backend.h"
#include "rule/scorer.h"

namespace fastpose {

// The backend takes (1, numbers, 1, 1) f32; its output's values are the scores. Throws ModelError.
[[nodiscard]] std::shared_ptr<Scorer> make_backend_scorer(std::shared_ptr<Backend> backend);

}  // namespace fastpose
