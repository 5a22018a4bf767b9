// Faults of the simulated camera come at the rate asked and are the same again.
#include "camera/sim_faults.h"

#include <gtest/gtest.h>

namespace fastpose {
namespace {

TEST(SimFate, ComesAtTheRateAsked) {
    SimSpec spec;
    spec.faults.drop = 0.02;
    spec.faults.late = 0.1;
    spec.faults.torn = 0.3;
    constexpr int kFrames = 50000;
    int dropped = 0, late = 0, torn = 0, both = 0;
    for (std::int64_t index = 0; index < kFrames; ++index) {
        const SimFate fate = sim_fate(spec, index);
        dropped += fate.dropped;
        late += fate.late;
        torn += fate.torn;
        both += fate.late && fate.torn;
    }
    EXPECT_NEAR(dropped, 0.02 * kFrames, 150);
    EXPECT_NEAR(late, 0.1 * kFrames, 300);
    EXPECT_NEAR(torn, 0.3 * kFrames, 450);
    EXPECT_NEAR(both, 0.03 * kFrames, 200) << "the kinds of fault depend on each other";
}

TEST(SimFate, IsTheSameAgain) {
    SimSpec spec;
    spec.faults.drop = spec.faults.late = spec.faults.torn = 0.5;
    SimSpec other = spec;
    other.seed = 1;
    int equal = 0;
    for (std::int64_t index = 0; index < 1000; ++index) {
        const SimFate one = sim_fate(spec, index), again = sim_fate(spec, index);
        EXPECT_EQ(one.dropped, again.dropped);
        EXPECT_EQ(one.late, again.late);
        EXPECT_EQ(one.tear_row, again.tear_row);
        equal += one.dropped == sim_fate(other, index).dropped;
    }
    EXPECT_NEAR(equal, 500, 80);
}

TEST(SimFate, NothingHappensUnasked) {
    const SimSpec spec;
    for (std::int64_t index = 0; index < 1000; ++index) {
        const SimFate fate = sim_fate(spec, index);
        EXPECT_FALSE(fate.dropped || fate.late || fate.torn);
        EXPECT_EQ(fate.tear_row, spec.height());
    }
}

TEST(SimFate, TearsWithinTheFrame) {
    SimSpec spec;
    spec.faults.torn = 1;
    for (std::int64_t index = 0; index < 1000; ++index) {
        const int row = sim_fate(spec, index).tear_row;
        EXPECT_GT(row, 0);
        EXPECT_LT(row, spec.height());
    }
}

}  // namespace
}  // namespace fastpose
