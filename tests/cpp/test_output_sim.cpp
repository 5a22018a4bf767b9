// The simulated line keeps its level, counts edges, and fails when told to.
#include <gtest/gtest.h>

#include "output/sim_output.h"

namespace fastpose {
namespace {

TEST(SimOutput, CountsEdgesNotWrites) {
    SimOutput line("laser");
    EXPECT_TRUE(line.write(false));
    EXPECT_TRUE(line.write(true));
    EXPECT_TRUE(line.write(true));
    EXPECT_TRUE(line.high());
    EXPECT_TRUE(line.write(false));
    EXPECT_EQ(line.writes(), 4);
    EXPECT_EQ(line.rising_edges(), 1);
    EXPECT_EQ(line.falling_edges(), 1);
    EXPECT_EQ(line.description(), "simulated line laser");
}

TEST(SimOutput, BrokenItKeepsItsLevel) {
    SimOutput line("laser");
    EXPECT_TRUE(line.write(true));
    line.set_broken(true);
    EXPECT_FALSE(line.write(false));
    EXPECT_TRUE(line.high());
    line.set_broken(false);
    EXPECT_TRUE(line.write(false));
    EXPECT_FALSE(line.high());
}

}  // namespace
}  // namespace fastpose
