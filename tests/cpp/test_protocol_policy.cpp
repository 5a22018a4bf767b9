// A compiled policy sees the frame as it is, and what it asks for arrives, within bounds.
#include <gtest/gtest.h>

#include <limits>

#include "base/error.h"
#include "protocol/policy_protocol.h"

namespace fastpose {
namespace {

struct Seen {
    fp_pose pose{};
    float last_likelihood = 0;
    int resets = 0;
};

void watch(void* state, const fp_pose* pose, fp_commands* commands) {
    auto& seen = *static_cast<Seen*>(state);
    seen.pose = *pose;
    seen.last_likelihood = pose->keypoints[3 * pose->individuals * pose->bodyparts - 1];
    fp_on(commands, 1);
    fp_off(commands, 2);
    fp_pulse(commands, 3, 5'000);
    commands->state += 7;
}

void ask_for_all(void*, const fp_pose*, fp_commands* commands) {
    fp_train(commands, 1, 5'000'000, 20, 3);
    fp_level(commands, 2, 1.5F);
    fp_ramp(commands, 3, 0.5F, 4, 250'000'000);
    fp_train(commands, 1, 5, 0, 2);  // no rate: the interlock refuses it
}

void count_reset(void* state) { ++static_cast<Seen*>(state)->resets; }

void ask_too_much(void*, const fp_pose*, fp_commands* commands) {
    for (int i = 0; i < 100; ++i) fp_on(commands, i);
}

void ask_nonsense(void*, const fp_pose*, fp_commands* commands) {
    fp_add(commands, 0, 99, 0);
    fp_on(commands, 4);
    commands->count = commands->items[1].output == 4 ? 2 : -5;
}

void write_a_wrong_count(void*, const fp_pose*, fp_commands* commands) {
    commands->count = std::numeric_limits<int>::max();
}

Decision step(PolicyProtocol& protocol) {
    Keypoint keypoints[4] = {{1, 2, 0.1F}, {3, 4, 0.2F}, {5, 6, 0.3F}, {7, 8, 0.4F}};
    const std::uint8_t rules[] = {0, 1, 1};
    Decision decision;
    protocol.step({{keypoints, 2, 2}, rules, 42, 1'000, 1'500}, decision);
    return decision;
}

TEST(PolicyProtocol, HandsTheFrameOverAndTheCommandsBack) {
    Seen seen;
    PolicyProtocol protocol({FP_POLICY_ABI, watch, count_reset, &seen});
    const Decision decision = step(protocol);
    EXPECT_EQ(seen.pose.individuals, 2);
    EXPECT_EQ(seen.pose.bodyparts, 2);
    EXPECT_EQ(seen.pose.frame_id, 42);
    EXPECT_EQ(seen.pose.exposure_start_ns, 1'000);
    EXPECT_EQ(seen.pose.now_ns, 1'500);
    EXPECT_EQ(seen.pose.n_rules, 3);
    EXPECT_FLOAT_EQ(seen.last_likelihood, 0.4F);
    ASSERT_EQ(decision.count, 3);
    EXPECT_EQ(decision.commands[0].action, Action::on);
    EXPECT_EQ(decision.commands[1].action, Action::off);
    EXPECT_EQ(decision.commands[2].action, Action::pulse);
    EXPECT_EQ(decision.commands[2].output, 3);
    EXPECT_EQ(decision.commands[2].duration_ns, 5'000);
}

TEST(PolicyProtocol, AsksForWhateverAConfigMayAskFor) {
    PolicyProtocol protocol({FP_POLICY_ABI, ask_for_all, nullptr, nullptr});
    const Decision decision = step(protocol);
    ASSERT_EQ(decision.count, 4);
    EXPECT_EQ(decision.commands[0], (OutputCommand{1, Action::train, 5'000'000, 50'000'000, 3}));
    EXPECT_EQ(decision.commands[1], (OutputCommand{2, Action::level, 0, 0, 0, 1.5F}));
    EXPECT_EQ(decision.commands[2], (OutputCommand{3, Action::ramp, 250'000'000, 0, 0, 0.5F, 4}));
    EXPECT_EQ(decision.commands[3], (OutputCommand{1, Action::train, 5, 0, 2}));
}

TEST(PolicyProtocol, KeepsTheStateBetweenFramesUntilReset) {
    Seen seen;
    PolicyProtocol protocol({FP_POLICY_ABI, watch, count_reset, &seen});
    EXPECT_EQ(step(protocol).state, 7);
    const Decision second = step(protocol);
    EXPECT_EQ(second.state, 14);
    EXPECT_EQ(second.count, 3);  // the commands are not kept
    protocol.reset();
    EXPECT_EQ(seen.resets, 1);
    EXPECT_EQ(step(protocol).state, 7);
}

TEST(PolicyProtocol, BoundsWhatThePolicyAsksFor) {
    PolicyProtocol greedy({FP_POLICY_ABI, ask_too_much, nullptr, nullptr});
    EXPECT_EQ(step(greedy).count, FP_MAX_COMMANDS);
    greedy.reset();  // without a reset function
    PolicyProtocol odd({FP_POLICY_ABI, ask_nonsense, nullptr, nullptr});
    const Decision decision = step(odd);
    ASSERT_EQ(decision.count, 1);
    EXPECT_EQ(decision.commands[0].output, 4);
    PolicyProtocol wrong({FP_POLICY_ABI, write_a_wrong_count, nullptr, nullptr});
    EXPECT_LE(step(wrong).count, FP_MAX_COMMANDS);
}

TEST(PolicyProtocol, RefusesAnotherVersionOrNoStep) {
    for (const int abi : {1, FP_POLICY_ABI + 1})  // 1: its commands had no room for trains, levels, ramps
        EXPECT_THROW(PolicyProtocol({abi, watch, nullptr, nullptr}), ConfigError);
    EXPECT_THROW(PolicyProtocol({FP_POLICY_ABI, nullptr, nullptr, nullptr}), ConfigError);
}

TEST(PolicyProtocol, KeepsItsOwnerAlive) {
    Seen seen;
    const auto owner = std::make_shared<int>(1);
    {
        const PolicyProtocol protocol({FP_POLICY_ABI, watch, nullptr, &seen}, owner);
        EXPECT_EQ(owner.use_count(), 2);
    }
    EXPECT_EQ(owner.use_count(), 1);
}

}  // namespace
}  // namespace fastpose
