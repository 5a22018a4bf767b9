// Conditions on what lasts or changes: a condition begins or ends, and how long it held.
#pragma once
#include <cstdint>
#include <memory>

#include "rule/rule.h"
#include "rule/threshold.h"

namespace fastpose {

// Yes in the one frame in which the inner condition, with its own timing, becomes true (begins) or false. It
// begins only after it was seen not to hold: who is there at the start did not enter. Never missing.
[[nodiscard]] std::unique_ptr<Condition> make_edge(std::unique_ptr<Condition> inner, RuleTiming timing,
                                                   bool begins);

struct DwellSpec {
    MissingPolicy missing = MissingPolicy::hold;  // of the inner condition
    std::int64_t within_ns = 0;                   // 0: in the present visit; else in the last so much time
    LimitSpec limit{.unit = "ms"};
};
// How long the inner condition held, in exposure time: the time between two frames counts if it held in both.
// Of a window's visits the last 1,024 count. Never missing. Throws ConfigError.
[[nodiscard]] std::unique_ptr<Condition> make_dwell(std::unique_ptr<Condition> inner, const DwellSpec& spec);

}  // namespace fastpose
