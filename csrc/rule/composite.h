// Conditions on other rules: any, all, not, and begins one after another.
#pragma once
#include <cstdint>
#include <memory>
#include <vector>

#include "rule/rule.h"

namespace fastpose {

enum class Join : int { any = 0, all = 1 };

// All throw ConfigError; rules are indices into RuleInput::rules.
[[nodiscard]] std::unique_ptr<Condition> make_join(Join join, std::vector<int> rules);
[[nodiscard]] std::unique_ptr<Condition> make_not(int rule);
// Yes in the one frame in which the rule becomes true (begins) or false (ends). True in the first frame
// counts as begun in it.
[[nodiscard]] std::unique_ptr<Condition> make_edge_of_rule(int rule, bool begins);

// Yes in the one frame that completes it: rules[0] began, later rules[1], ..., with at most within_ns from
// one begin to the next. Two begins of one frame are not one after the other. Then it starts anew.
[[nodiscard]] std::unique_ptr<Condition> make_sequence(std::vector<int> rules, std::int64_t within_ns);

}  // namespace fastpose
