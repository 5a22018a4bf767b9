// Condition: a classifier says so, over a window of features up to this frame.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "rule/features.h"
#include "rule/rule.h"
#include "rule/scorer.h"

namespace fastpose {

enum class Window : int { stack = 0, mean = 1, mean_std = 2 };

struct ClassifierSpec {
    std::vector<FeatureSpec> features{};
    std::shared_ptr<Scorer> scorer{};
    Window window = Window::stack;
    int window_frames = 1;
    int class_index = 1;
    std::optional<double> above{};  // the class' score is more; empty: it is the highest
    double hysteresis = 0;
    std::int64_t hold_ns = 100'000'000;
    std::int64_t max_gap_ns = 200'000'000;
};

// Runs in the loop, in every frame whose window is full. Missing while it is not, or a feature cannot be said
// (then it begins anew), or the scorer fails. Throws ConfigError.
[[nodiscard]] std::unique_ptr<Condition> make_classifier(const ClassifierSpec& spec, const Gate& gate);

}  // namespace fastpose
