// Puts the rules into an order in which each finds the values that it depends on.
#include "rule/rule_set.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/check.h"

namespace fastpose {
namespace {

using Rules = std::vector<std::shared_ptr<Rule>>;

void check(const Rules& rules) {
    const int count = static_cast<int>(rules.size());
    require_between("the number of rules", static_cast<double>(count), 0,
                    static_cast<double>(RuleSet::max_rules));
    for (const auto& rule : rules) {
        if (!rule) throw ConfigError("a rule is null; allowed: rules");
        for (const int other : rule->depends_on()) require_index("a rule that a rule names", other, count);
    }
}

// The first rule, of those not placed yet, whose dependencies all are; -1: there is none.
int next_ready(const Rules& rules, const std::vector<char>& placed) {
    for (std::size_t i = 0; i < rules.size(); ++i) {
        const auto needs = rules[i]->depends_on();
        const auto is_placed = [&](int other) { return placed[static_cast<std::size_t>(other)] != 0; };
        if (!placed[i] && std::all_of(needs.begin(), needs.end(), is_placed)) return static_cast<int>(i);
    }
    return -1;
}

std::vector<int> order_of(const Rules& rules) {
    std::vector<int> order;
    std::vector<char> placed(rules.size());
    while (order.size() < rules.size()) {
        const int next = next_ready(rules, placed);
        if (next < 0) {
            const auto stuck = std::find(placed.begin(), placed.end(), 0) - placed.begin();
            throw ConfigError(
                "rule " + std::to_string(stuck) +
                " depends on itself by way of others; allowed: rules that do not go in a circle");
        }
        placed[static_cast<std::size_t>(next)] = 1;
        order.push_back(next);
    }
    return order;
}

}  // namespace

RuleSet::RuleSet(Rules rules) : rules_(std::move(rules)) {
    check(rules_);
    order_ = order_of(rules_);
    values_.resize(rules_.size());
}

void RuleSet::reset() noexcept {
    for (const auto& rule : rules_) rule->reset();
    std::fill(values_.begin(), values_.end(), std::uint8_t{0});
}

}  // namespace fastpose
