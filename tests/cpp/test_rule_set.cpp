// Sets of rules: order, values within one frame, sequences, plug-ins, classifiers; no allocation in the loop.
#include "rule/rule_set.h"

#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <vector>

#include "allocation_counter.h"
#include "base/error.h"
#include "rule/angular_velocity.h"
#include "rule/approach.h"
#include "rule/classifier.h"
#include "rule/composite.h"
#include "rule/crossing.h"
#include "rule/in_zone.h"
#include "rule/plugin_condition.h"
#include "rule/shape.h"
#include "rule/speed.h"
#include "rule/visit.h"

namespace fastpose {
namespace {

constexpr std::int64_t ms = 1'000'000;
constexpr int bodyparts = 20;

std::shared_ptr<Rule> rule_of(std::unique_ptr<Condition> condition) {
    return std::make_shared<Rule>(std::move(condition), RuleTiming{});
}

std::vector<int> all_parts() {
    std::vector<int> parts;
    for (int i = 0; i < bodyparts; ++i) parts.push_back(i);
    return parts;
}

std::unique_ptr<Condition> in_circle(const Gate& gate, std::vector<int> parts, Which which = Which::any) {
    return make_condition(gate, make_in_zone({make_circle({0, 0}, 50), std::move(parts), which}, gate));
}

std::shared_ptr<Scorer> one_tree() {
    ForestSpec spec;
    spec.inputs = 4, spec.classes = 2;
    spec.nodes = {{0, 10.0F, 1, 2}, {-1, 0, 0, 0, 0, 1}, {-1, 0, 0, 0, 1, 1}};
    spec.roots = {0};
    spec.weights = {{0, 1.0F}, {1, 1.0F}};
    return make_forest(std::move(spec));
}

ClassifierSpec classifier_spec() {
    ClassifierSpec spec;
    spec.features = {{FeatureKind::positions, {{0, 0}}}};
    spec.scorer = one_tree();
    spec.window_frames = 2;
    return spec;
}

std::vector<std::shared_ptr<Rule>> some_of_each() {
    const Gate gate({}, 1, bodyparts);
    std::vector<std::shared_ptr<Rule>> rules;
    rules.push_back(rule_of(in_circle(gate, all_parts(), Which::all)));
    rules.push_back(rule_of(make_edge(in_circle(gate, {0}), {}, true)));
    rules.push_back(rule_of(
        make_dwell(in_circle(gate, {0}), {.within_ns = 1000 * ms, .limit = {.above = 100, .unit = "ms"}})));
    rules.push_back(rule_of(make_condition(gate, make_speed({.limit = {.above = 9}}, gate))));
    rules.push_back(rule_of(
        make_condition(gate, make_freezing({.bodyparts = all_parts(), .limit = {.below = 9}}, gate))));
    rules.push_back(rule_of(make_condition(gate, make_acceleration({.limit = {.above = 9}}, gate))));
    rules.push_back(rule_of(
        make_condition(gate, make_angular_velocity({.bodyparts = {0, 1}, .limit = {.above = 9}}, gate))));
    rules.push_back(rule_of(make_condition(
        gate, make_approach({.to = {.point = std::array{5.0, 5.0}}, .limit = {.above = 9}}, gate))));
    rules.push_back(rule_of(
        make_condition(gate, make_body_length({.bodyparts = all_parts(), .limit = {.above = 9}}, gate))));
    rules.push_back(rule_of(make_condition(gate, make_crossing({.from = {0, -9}, .to = {0, 9}}, gate))));
    rules.push_back(rule_of(make_classifier(classifier_spec(), gate)));
    rules.push_back(rule_of(make_join(Join::all, {0, 3})));
    rules.push_back(rule_of(make_not(11)));
    rules.push_back(rule_of(make_sequence({3, 1}, 500 * ms)));
    return rules;
}

TEST(RuleSet, AllocatesNothingInAThousandFrames) {
    RuleSet rules(some_of_each());
    std::vector<Keypoint> keypoints(bodyparts);
    const auto step = [&](int i) {
        for (int part = 0; part < bodyparts; ++part)
            keypoints[static_cast<std::size_t>(part)] = {60 * std::sin(0.05F * static_cast<float>(i + part)),
                                                         static_cast<float>(part), i % 50 == 0 ? 0.0F : 1.0F};
        rules.update({keypoints.data(), 1, bodyparts}, i * 5 * ms);
    };
    step(1);
    start_counting_allocations();
    for (int i = 2; i < 1002; ++i) step(i);
    EXPECT_EQ(stop_counting_allocations(), 0);
}

TEST(RuleSet, ARuleSeesTheValuesOfThisFrame) {
    const Gate gate({}, 1, 1);
    std::vector<std::shared_ptr<Rule>> made;
    made.push_back(rule_of(make_not(1)));
    made.push_back(rule_of(in_circle(gate, {0})));
    RuleSet rules(std::move(made));
    Keypoint keypoint{0, 0, 1};
    std::vector<int> changed;
    rules.update({&keypoint, 1, 1}, 0, [&](int rule, bool) { changed.push_back(rule); });
    EXPECT_EQ(changed, std::vector<int>{1});
    keypoint.x = 90;
    rules.update({&keypoint, 1, 1}, ms, [&](int rule, bool) { changed.push_back(rule); });
    EXPECT_EQ(changed, (std::vector<int>{1, 1, 0}));
    rules.reset();
    EXPECT_EQ(rules.values()[0], 0);
}

TEST(RuleSet, RefusesCirclesAndRulesThatAreNotThere) {
    EXPECT_THROW(RuleSet({rule_of(make_not(0))}), ConfigError);
    EXPECT_THROW(RuleSet({rule_of(make_not(1))}), ConfigError);
    EXPECT_THROW(RuleSet({nullptr}), ConfigError);
}

TEST(Classifier, AnswersOnceItsWindowIsFull) {
    const Gate gate({}, 1, 1);
    const auto condition = make_classifier(classifier_spec(), gate);
    Keypoint keypoint{20, 0, 1};
    const auto at = [&](int frame) {
        return condition->evaluate({{&keypoint, 1, 1}, frame * 10 * ms}, false);
    };
    EXPECT_EQ(at(1), Truth::missing);
    EXPECT_EQ(at(2), Truth::yes);
    keypoint.x = 5;
    EXPECT_EQ(at(3), Truth::yes);  // the older frame comes first
    EXPECT_EQ(at(4), Truth::no);
    keypoint.likelihood = 0;
    EXPECT_EQ(at(5), Truth::no);  // held where it was
    EXPECT_EQ(at(30), Truth::missing);
}

TEST(Classifier, RefusesFeaturesThatTheModelDoesNotTake) {
    const Gate gate({}, 1, 1);
    ClassifierSpec spec = classifier_spec();
    spec.window_frames = 3;
    EXPECT_THROW((void)make_classifier(spec, gate), ConfigError);
    spec = classifier_spec();
    spec.class_index = 2;
    EXPECT_THROW((void)make_classifier(spec, gate), ConfigError);
}

TEST(Forest, RefusesTreesThatLeadNowhere) {
    ForestSpec spec;
    spec.inputs = 1, spec.classes = 2;
    spec.roots = {0};
    spec.nodes = {{0, 1.0F, 0, 0}};
    EXPECT_THROW((void)make_forest(spec), ModelError);
    spec.nodes = {{3, 1.0F, 1, 1}, {}};
    EXPECT_THROW((void)make_forest(spec), ModelError);
    spec.roots = {5};
    EXPECT_THROW((void)make_forest(spec), ModelError);
}

int answer(void* state, const fp_rule_input* input) {
    const auto* wanted = static_cast<const float*>(state);
    if (input->keypoints[2] < input->min_likelihood) return 77;
    return input->keypoints[0] > (input->active != 0 ? *wanted - 5 : *wanted) ? FP_YES : FP_NO;
}

TEST(Plugin, IsAskedAndItsAnswersAreNotTrusted) {
    float limit = 10;
    const fp_rule plugin{FP_RULE_ABI, answer, nullptr, &limit};
    const auto condition = make_plugin_condition(plugin, 0.6);
    Keypoint keypoint{12, 0, 1};
    const auto at = [&](bool active) { return condition->evaluate({{&keypoint, 1, 1}, 0}, active); };
    EXPECT_EQ(at(false), Truth::yes);
    keypoint.x = 7;
    EXPECT_EQ(at(false), Truth::no);
    EXPECT_EQ(at(true), Truth::yes);
    keypoint.likelihood = 0.5F;
    EXPECT_EQ(at(true), Truth::missing);
    EXPECT_THROW((void)make_plugin_condition({7, answer, nullptr, nullptr}, 0.6), ConfigError);
    EXPECT_THROW((void)make_plugin_condition({FP_RULE_ABI, nullptr, nullptr, nullptr}, 0.6), ConfigError);
}

}  // namespace
}  // namespace fastpose
