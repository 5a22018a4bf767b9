// Question: are bodyparts in, or outside, a zone?
#pragma once
#include <memory>
#include <vector>

#include "rule/question.h"
#include "rule/zone.h"

namespace fastpose {

enum class Which : int { any = 0, all = 1 };

struct InZoneSpec {
    std::shared_ptr<const Zone> zone{};  // in the gate's unit
    std::vector<int> bodyparts{};        // indices into the pose
    Which which = Which::any;
    bool outside = false;   // true: each bodypart is tested for being outside
    double hysteresis = 0;  // the region (zone, or all outside it) grows by this while the rule is true
};

// any: yes if one visible bodypart is in the region, missing if none is visible. all: no if one visible
// bodypart is not, yes if all are visible and are, else missing. Throws ConfigError.
[[nodiscard]] std::unique_ptr<Question> make_in_zone(const InZoneSpec& spec, const Gate& gate);

}  // namespace fastpose
