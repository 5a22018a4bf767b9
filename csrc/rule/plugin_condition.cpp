// A condition of another package as one of ours; what comes back is not trusted.
#include "rule/plugin_condition.h"

#include <string>
#include <utility>

#include "base/check.h"

namespace fastpose {
namespace {

static_assert(sizeof(Keypoint) == 3 * sizeof(float), "a plug-in reads keypoints as rows of three floats");
static_assert(FP_NO == static_cast<int>(Truth::no) && FP_YES == static_cast<int>(Truth::yes));

class PluginCondition final : public Condition {
  public:
    PluginCondition(const fp_rule& rule, double min_likelihood, std::shared_ptr<void> owner)
        : rule_(rule), min_likelihood_(static_cast<float>(min_likelihood)), owner_(std::move(owner)) {}

    Truth evaluate(const RuleInput& input, bool active) noexcept override {
        const fp_rule_input seen{.keypoints = reinterpret_cast<const float*>(input.pose.keypoints),
                                 .individuals = input.pose.individuals,
                                 .bodyparts = input.pose.bodyparts,
                                 .exposure_start_ns = input.exposure_start_ns,
                                 .min_likelihood = min_likelihood_,
                                 .active = active ? 1 : 0};
        const int answer = rule_.evaluate(rule_.state, &seen);
        return answer == FP_NO || answer == FP_YES ? static_cast<Truth>(answer) : Truth::missing;
    }

    void reset() noexcept override {
        if (rule_.reset != nullptr) rule_.reset(rule_.state);
    }

  private:
    fp_rule rule_;
    float min_likelihood_;
    std::shared_ptr<void> owner_;
};

}  // namespace

std::unique_ptr<Condition> make_plugin_condition(const fp_rule& rule, double min_likelihood,
                                                 std::shared_ptr<void> owner) {
    if (rule.abi != FP_RULE_ABI)
        throw ConfigError("name: compiled for version " + std::to_string(rule.abi) +
                          " of plugin.h; this fastpose has version " + std::to_string(FP_RULE_ABI) +
                          ": compile it again");
    if (rule.evaluate == nullptr) throw ConfigError("name: the plug-in has no evaluate function");
    require_between("min_likelihood", min_likelihood, 0, 1);
    return std::make_unique<PluginCondition>(rule, min_likelihood, std::move(owner));
}

}  // namespace fastpose
