// The rules of one camera: evaluated once a frame, those that others depend on first.
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "rule/rule.h"

namespace fastpose {

// Thread-bound; allocates nothing after construction. The constructor throws ConfigError for a rule that
// depends on one that is not there, or, by way of others, on itself.
class RuleSet {
  public:
    static constexpr std::size_t max_rules = 64;

    explicit RuleSet(std::vector<std::shared_ptr<Rule>> rules);

    // Evaluates every rule; changed(index, value) is called for each whose value is another than before.
    template <class Changed>
    void update(const PoseView& pose, std::int64_t exposure_start_ns, Changed changed) noexcept {
        const RuleInput input{pose, exposure_start_ns, values_};
        for (const int index : order_) {
            const auto at = static_cast<std::size_t>(index);
            const std::uint8_t value = rules_[at]->update(input) ? 1 : 0;
            if (value == values_[at]) continue;
            values_[at] = value;
            changed(index, value != 0);
        }
    }
    void update(const PoseView& pose, std::int64_t exposure_start_ns) noexcept {
        update(pose, exposure_start_ns, [](int, bool) noexcept {});
    }

    // 0 or 1 per rule, in the config's order.
    [[nodiscard]] std::span<const std::uint8_t> values() const noexcept { return values_; }
    // The rules' indices as they are evaluated: the config's order as far as dependencies let it be.
    [[nodiscard]] std::span<const int> order() const noexcept { return order_; }
    [[nodiscard]] std::size_t size() const noexcept { return rules_.size(); }
    void reset() noexcept;

  private:
    std::vector<std::shared_ptr<Rule>> rules_;
    std::vector<int> order_;
    std::vector<std::uint8_t> values_;
};

}  // namespace fastpose
