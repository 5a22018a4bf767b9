// When the loop may be real-time: the budget of the kernel, and what may be spun within it.
#include "engine/loop_duty.h"

#include <gtest/gtest.h>

namespace fastpose {
namespace {

constexpr std::int64_t ms = 1'000'000;

// Frames one after the other, each with `work` of `period`; returns how often the verdict changed.
struct Clock {
    std::int64_t now_ns = 1000 * ms;

    int run(LoopDuty& duty, std::int64_t work_ns, std::int64_t period_ns, std::int64_t for_ns,
            std::int64_t spun_ns = 0) {
        int changes = 0;
        for (const std::int64_t end = now_ns + for_ns; now_ns < end; now_ns += period_ns)
            changes += duty.add(now_ns + spun_ns, now_ns + spun_ns + work_ns, spun_ns) ? 1 : 0;
        return changes;
    }
};

TEST(LoopDuty, FitsUntilItIsToldOtherwise) {
    const LoopDuty duty(0.95);
    EXPECT_TRUE(duty.fits());
    EXPECT_EQ(duty.spin_ns(), 0);
}

TEST(LoopDuty, ExpectationFromTheWarmUp) {
    LoopDuty duty(0.95);
    duty.expect(10 * ms, 5 * ms);
    EXPECT_FALSE(duty.fits());
    EXPECT_DOUBLE_EQ(duty.share(), 1);
    duty.expect(1 * ms, 5 * ms);
    EXPECT_TRUE(duty.fits());
    EXPECT_DOUBLE_EQ(duty.share(), 0.2);
    EXPECT_EQ(duty.spin_ns(), static_cast<std::int64_t>((0.75 * 0.95 - 0.2) * 5 * ms));
    duty.expect(1 * ms, 0);  // the rate is not known: nothing new
    EXPECT_DOUBLE_EQ(duty.share(), 0.2);
}

TEST(LoopDuty, LeavesBeforeTheKernelStopsIt) {
    LoopDuty duty(0.95);
    Clock clock;
    const std::int64_t start = clock.now_ns;
    while (duty.fits()) clock.run(duty, 10 * ms, 10 * ms, 10 * ms);
    EXPECT_LT(clock.now_ns - start, 500 * ms);
    EXPECT_DOUBLE_EQ(duty.share(), 1);
    EXPECT_EQ(duty.spin_ns(), 0);
}

TEST(LoopDuty, ReturnsAfterASecondOfCalm) {
    LoopDuty duty(0.95);
    Clock clock;
    clock.run(duty, 10 * ms, 10 * ms, 500 * ms);
    ASSERT_FALSE(duty.fits());
    EXPECT_EQ(clock.run(duty, 5 * ms, 10 * ms, 600 * ms), 0);
    EXPECT_EQ(clock.run(duty, 5 * ms, 10 * ms, 900 * ms), 1);
    EXPECT_TRUE(duty.fits());
}

TEST(LoopDuty, StaysAwayWhileItIsBetweenTheTwoMarks) {
    LoopDuty duty(0.95);
    Clock clock;
    clock.run(duty, 10 * ms, 10 * ms, 500 * ms);
    EXPECT_EQ(clock.run(duty, 8 * ms, 10 * ms, 5000 * ms), 0);  // 0.8 of the core; it returns below 0.71
    EXPECT_FALSE(duty.fits());
}

TEST(LoopDuty, BetweenTheTwoMarksItKeepsWhatItHas) {
    LoopDuty duty(0.95);
    Clock clock;
    EXPECT_EQ(clock.run(duty, 8 * ms, 10 * ms, 5000 * ms), 0);
    EXPECT_TRUE(duty.fits());
}

TEST(LoopDuty, SpinningCountsButIsNoWork) {
    LoopDuty duty(0.95);
    Clock clock;
    clock.run(duty, 4 * ms, 10 * ms, 600 * ms, 5 * ms);
    EXPECT_FALSE(duty.fits());
    EXPECT_NEAR(duty.share(), 0.4, 0.02);
}

TEST(LoopDuty, WhatIsAllowedToSpinKeepsWithinTheBudget) {
    for (const double budget : {1.0, 0.95, 0.5}) {
        LoopDuty duty(budget);
        Clock clock;
        for (int i = 0; i < 20; ++i) clock.run(duty, 2 * ms, 10 * ms, 300 * ms, duty.spin_ns());
        EXPECT_TRUE(duty.fits()) << budget;
        EXPECT_GT(duty.spin_ns(), 0) << budget;
        EXPECT_LE(2 * ms + duty.spin_ns(), static_cast<std::int64_t>(budget * 0.8 * 10 * ms)) << budget;
    }
}

TEST(LoopDuty, WithoutABudgetNothingFits) {
    LoopDuty duty(0);
    duty.expect(1 * ms, 10 * ms);
    EXPECT_FALSE(duty.fits());
}

}  // namespace
}  // namespace fastpose
