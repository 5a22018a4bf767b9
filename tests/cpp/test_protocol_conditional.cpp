// Rule edges to commands, and what a missed deadline does to each kind of reaction.
#include <gtest/gtest.h>

#include "base/error.h"
#include "protocol/conditional.h"
#include "protocol/none.h"

namespace fastpose {
namespace {

constexpr std::int64_t ms = 1'000'000;

std::vector<ConditionalAction> one_of_each() {
    return {{0, Reaction::pulse, 10 * ms}, {1, Reaction::on}, {2, Reaction::off}, {3, Reaction::follow}};
}

Decision step(Protocol& protocol, std::vector<std::uint8_t> rules, std::int64_t age_ns = 0) {
    Decision decision;
    protocol.step(
        {.pose = {}, .rules = rules, .exposure_start_ns = 1'000 * ms, .now_ns = 1'000 * ms + age_ns},
        decision);
    return decision;
}

void expect_commands(const Decision& decision, std::vector<std::pair<int, Action>> expected) {
    ASSERT_EQ(decision.count, static_cast<int>(expected.size()));
    for (std::size_t i = 0; i < expected.size(); ++i) {
        EXPECT_EQ(decision.commands[i].output, expected[i].first);
        EXPECT_EQ(decision.commands[i].action, expected[i].second);
    }
}

TEST(NoProtocol, NeverActs) {
    NoProtocol protocol;
    EXPECT_EQ(step(protocol, {1}).count, 0);
}

TEST(ConditionalProtocol, ActsOnEdgesOnly) {
    ConditionalProtocol protocol({.rule = 1, .actions = one_of_each()});
    expect_commands(step(protocol, {1, 0}), {});
    const Decision rise = step(protocol, {0, 1});
    expect_commands(rise, {{0, Action::pulse}, {1, Action::on}, {2, Action::off}, {3, Action::on}});
    EXPECT_EQ(rise.commands[0].duration_ns, 10 * ms);
    EXPECT_FALSE(rise.late);
    expect_commands(step(protocol, {0, 1}), {});
    expect_commands(step(protocol, {0, 0}), {{3, Action::off}});
    expect_commands(step(protocol, {0, 0}), {});
    EXPECT_EQ(step(protocol, {0, 1}).count, 4);
}

TEST(ConditionalProtocol, AfterResetATrueRuleRisesAgain) {
    ConditionalProtocol protocol({.rule = 0, .actions = one_of_each()});
    step(protocol, {1});
    protocol.reset();
    EXPECT_EQ(step(protocol, {1}).count, 4);
}

TEST(ConditionalProtocol, ARuleThatIsNotThereIsFalse) {
    ConditionalProtocol protocol({.rule = 5, .actions = one_of_each()});
    EXPECT_EQ(step(protocol, {1, 1}).count, 0);
}

TEST(ConditionalProtocol, OnTheDeadlineIsInTime) {
    ConditionalProtocol protocol({.rule = 0, .actions = one_of_each(), .deadline_ns = 20 * ms});
    const Decision decision = step(protocol, {1}, 20 * ms);
    EXPECT_FALSE(decision.late);
    EXPECT_EQ(decision.count, 4);
    EXPECT_EQ(decision.suppressed_outputs, 0U);
}

TEST(ConditionalProtocol, LateReactionsAreSuppressedButNeverOff) {
    ConditionalProtocol protocol({.rule = 0, .actions = one_of_each(), .deadline_ns = 20 * ms});
    const Decision decision = step(protocol, {1}, 20 * ms + 1);
    EXPECT_TRUE(decision.late);
    EXPECT_EQ(decision.suppressed_outputs, 0b1011U);
    expect_commands(decision, {{2, Action::off}});
    expect_commands(step(protocol, {1}, 0), {});  // not made up for
    expect_commands(step(protocol, {0}, 30 * ms), {{3, Action::off}});
}

TEST(ConditionalProtocol, LateReactionsCanBeFlaggedOnly) {
    ConditionalProtocol protocol(
        {.rule = 0, .actions = one_of_each(), .deadline_ns = 20 * ms, .on_late = OnLate::flag});
    const Decision decision = step(protocol, {1}, 21 * ms);
    EXPECT_TRUE(decision.late);
    EXPECT_EQ(decision.suppressed_outputs, 0U);
    EXPECT_EQ(decision.count, 4);
}

TEST(ConditionalProtocol, WithoutDeadlineNothingIsLate) {
    ConditionalProtocol protocol({.rule = 0, .actions = one_of_each()});
    EXPECT_FALSE(step(protocol, {1}, 100'000 * ms).late);
}

TEST(ConditionalProtocol, RefusesSpecsItCannotCarryOut) {
    EXPECT_THROW(ConditionalProtocol({.rule = -1, .actions = {}}), ConfigError);
    EXPECT_THROW(ConditionalProtocol({.rule = 0, .actions = {{0, Reaction::pulse, 0}}}), ConfigError);
    EXPECT_THROW(ConditionalProtocol({.rule = 0, .actions = {{-1, Reaction::on}}}), ConfigError);
    EXPECT_THROW(ConditionalProtocol({.rule = 0, .actions = {{64, Reaction::on}}}), ConfigError);
    EXPECT_THROW(ConditionalProtocol({.rule = 0, .actions = {}, .deadline_ns = -1}), ConfigError);
    const std::vector<ConditionalAction> too_many(Decision::max_commands + 1, {0, Reaction::on});
    EXPECT_THROW(ConditionalProtocol({.rule = 0, .actions = too_many}), ConfigError);
}

}  // namespace
}  // namespace fastpose
