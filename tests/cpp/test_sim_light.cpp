// A light's history: how much of an interval it was on.
#include "base/sim_light.h"

#include <gtest/gtest.h>

namespace fastpose {
namespace {

TEST(SimLight, IsOnForTheFractionBetweenItsEdges) {
    SimLight light;
    EXPECT_EQ(light.fraction_on(0, 1000), 0);
    light.set(true, 1'250);
    light.set(false, 1'500);
    light.set(true, 1'900);
    EXPECT_DOUBLE_EQ(light.fraction_on(1'000, 2'000), 0.35);
    EXPECT_DOUBLE_EQ(light.fraction_on(1'300, 1'400), 1);
    EXPECT_DOUBLE_EQ(light.fraction_on(1'500, 1'900), 0);
    EXPECT_DOUBLE_EQ(light.fraction_on(5'000, 6'000), 1);
    EXPECT_DOUBLE_EQ(light.fraction_on(0, 1'250), 0);
}

TEST(SimLight, ForgetsOldEdgesAndKeepsItsLevel) {
    SimLight light;
    for (std::int64_t i = 1; i <= 1001; ++i) light.set(i % 2 == 1, 10 * i);
    EXPECT_DOUBLE_EQ(light.fraction_on(9'980, 10'000), 0.5);
    EXPECT_DOUBLE_EQ(light.fraction_on(20'000, 20'010), 1);
}

TEST(SimLight, OneNameIsOneLightWhileItLives) {
    auto one = sim_light("led"), same = sim_light("led"), other = sim_light("other");
    EXPECT_EQ(one, same);
    EXPECT_NE(one, other);
    one->set(true, 1);
    one.reset();
    same.reset();
    EXPECT_EQ(sim_light("led")->fraction_on(10, 20), 0);  // a new one, dark
}

}  // namespace
}  // namespace fastpose
