// Conditions on other rules: any, all, not, and begins one after another.
#include "rule/composite.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/check.h"

namespace fastpose {
namespace {

Truth truth_of(bool holds) noexcept { return holds ? Truth::yes : Truth::no; }

bool is_true(const RuleInput& input, int rule) noexcept {
    const auto index = static_cast<std::size_t>(rule);
    return index < input.rules.size() && input.rules[index] != 0;
}

// What the conditions of this file share: the rules they name.
class OfRules : public Condition {
  public:
    explicit OfRules(std::vector<int> rules) : rules_(std::move(rules)) {
        if (rules_.empty()) throw ConfigError("rules is empty; allowed: at least one rule");
        for (const int rule : rules_) require_at_least("the number of a rule", rule, 0);
    }
    [[nodiscard]] std::span<const int> depends_on() const noexcept override { return rules_; }
    void reset() noexcept override {}

  protected:
    std::vector<int> rules_;
};

class Joined final : public OfRules {
  public:
    Joined(Join join, std::vector<int> rules) : OfRules(std::move(rules)), join_(join) {}

    Truth evaluate(const RuleInput& input, bool) noexcept override {
        const auto holds = [&](int rule) { return is_true(input, rule); };
        return truth_of(join_ == Join::any ? std::any_of(rules_.begin(), rules_.end(), holds)
                                           : std::all_of(rules_.begin(), rules_.end(), holds));
    }

  private:
    Join join_;
};

class Not final : public OfRules {
  public:
    explicit Not(int rule) : OfRules({rule}) {}
    Truth evaluate(const RuleInput& input, bool) noexcept override {
        return truth_of(!is_true(input, rules_[0]));
    }
};

class EdgeOfRule final : public OfRules {
  public:
    EdgeOfRule(int rule, bool begins) : OfRules({rule}), begins_(begins) {}

    Truth evaluate(const RuleInput& input, bool) noexcept override {
        const bool now = is_true(input, rules_[0]);
        const bool changed = now != std::exchange(was_true_, now);
        return truth_of(changed && now == begins_);
    }
    void reset() noexcept override { was_true_ = false; }

  private:
    bool begins_;
    bool was_true_ = false;
};

constexpr std::int64_t never = -1;

class Sequence final : public OfRules {
  public:
    Sequence(std::vector<int> rules, std::int64_t within_ns)
        : OfRules(std::move(rules)),
          within_ns_(within_ns),
          was_true_(rules_.size()),
          reached_ns_(rules_.size(), never) {}

    // reached_ns_[i]: the latest time at which the first i + 1 steps were done; a later one can only help.
    // Backwards, so that one frame does not do two steps.
    Truth evaluate(const RuleInput& input, bool) noexcept override {
        const std::int64_t now_ns = input.exposure_start_ns;
        if (now_ns < last_ns_) forget();
        last_ns_ = now_ns;
        for (std::size_t step = rules_.size(); step-- > 0;) {
            const bool now = is_true(input, rules_[step]);
            const bool began = now && !was_true_[step];
            was_true_[step] = now ? 1 : 0;
            if (began && is_next(step, now_ns)) reached_ns_[step] = now_ns;
        }
        if (reached_ns_.back() != now_ns) return Truth::no;
        forget();
        return Truth::yes;
    }

    void reset() noexcept override {
        forget();
        std::fill(was_true_.begin(), was_true_.end(), 0);
        last_ns_ = never;
    }

  private:
    [[nodiscard]] bool is_next(std::size_t step, std::int64_t now_ns) const noexcept {
        if (step == 0) return true;
        const std::int64_t before_ns = reached_ns_[step - 1];
        return before_ns != never && now_ns - before_ns <= within_ns_;
    }

    void forget() noexcept { std::fill(reached_ns_.begin(), reached_ns_.end(), never); }

    std::int64_t within_ns_;
    std::vector<char> was_true_;
    std::vector<std::int64_t> reached_ns_;
    std::int64_t last_ns_ = never;
};

}  // namespace

std::unique_ptr<Condition> make_join(Join join, std::vector<int> rules) {
    return std::make_unique<Joined>(join, std::move(rules));
}

std::unique_ptr<Condition> make_not(int rule) { return std::make_unique<Not>(rule); }

std::unique_ptr<Condition> make_edge_of_rule(int rule, bool begins) {
    return std::make_unique<EdgeOfRule>(rule, begins);
}

std::unique_ptr<Condition> make_sequence(std::vector<int> rules, std::int64_t within_ns) {
    if (rules.size() < 2)
        throw ConfigError("a sequence has " + std::to_string(rules.size()) + " rules; allowed: at least 2");
    require_above("within_ms", static_cast<double>(within_ns) / 1e6, 0);
    return std::make_unique<Sequence>(std::move(rules), within_ns);
}

}  // namespace fastpose
