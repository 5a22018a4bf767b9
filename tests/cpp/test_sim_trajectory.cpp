// The simulated animal stays inside, moves without jumps and faces where it goes.
#include "camera/sim_trajectory.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "camera/sim_arena.h"
#include "camera/sim_body.h"

namespace fastpose::sim {
namespace {

constexpr Territory kTerritory{
    .centre_x = 319.5, .centre_y = 239.5, .reach_x = 260, .reach_y = 180, .body_length_px = 118};

class TrajectoryTest : public testing::TestWithParam<std::uint64_t> {};

TEST_P(TrajectoryTest, StaysInReachOverSeveralLaps) {
    const Trajectory trajectory(kTerritory, GetParam());
    for (double time_s = -50; time_s < 2.5 * trajectory.period_s(); time_s += 0.037) {
        const Motion motion = trajectory.at(time_s);
        ASSERT_LE(std::abs(motion.x - kTerritory.centre_x), kTerritory.reach_x + 0.01) << time_s;
        ASSERT_LE(std::abs(motion.y - kTerritory.centre_y), kTerritory.reach_y + 0.01) << time_s;
    }
}

TEST_P(TrajectoryTest, VisitsMostOfTheArena) {
    const Trajectory trajectory(kTerritory, GetParam());
    bool seen[4][4] = {};
    for (double time_s = 0; time_s < trajectory.period_s(); time_s += 0.1) {
        const Motion motion = trajectory.at(time_s);
        const double right = (motion.x - kTerritory.centre_x) / kTerritory.reach_x;
        const double down = (motion.y - kTerritory.centre_y) / kTerritory.reach_y;
        seen[std::clamp(static_cast<int>(2 * right + 2), 0, 3)]
            [std::clamp(static_cast<int>(2 * down + 2), 0, 3)] = true;
    }
    for (const auto& column : seen) {
        EXPECT_TRUE(std::all_of(std::begin(column), std::end(column), [](bool here) { return here; }));
    }
}

TEST_P(TrajectoryTest, MovesWithoutJumpsAtTheSpeedItReports) {
    const Trajectory trajectory(kTerritory, GetParam());
    constexpr double kStepS = 0.001;
    const double seam_s = trajectory.period_s();  // the lap's end is as smooth as its middle
    double fastest = 0;
    for (double time_s = seam_s - 60; time_s < seam_s + 60; time_s += kStepS) {
        const Motion now = trajectory.at(time_s), next = trajectory.at(time_s + kStepS);
        const double speed_px_s = std::hypot(next.x - now.x, next.y - now.y) / kStepS;
        ASSERT_NEAR(speed_px_s, 0.5 * (now.speed_px_s + next.speed_px_s), 8.0) << time_s;
        ASSERT_LE(std::abs(next.heading - now.heading), 9.0 * kStepS) << time_s;
        ASSERT_NEAR((next.heading - now.heading) / kStepS, 0.5 * (now.turn_rad_s + next.turn_rad_s), 0.5)
            << time_s;
        fastest = std::max(fastest, speed_px_s);
    }
    EXPECT_GT(fastest, 150);
    EXPECT_LT(fastest, 3.6 * kTerritory.body_length_px);
}

TEST_P(TrajectoryTest, RunsAndPauses) {
    const Trajectory trajectory(kTerritory, GetParam());
    int still = 0, running = 0, all = 0;
    for (double time_s = 0; time_s < trajectory.period_s(); time_s += 0.05, ++all) {
        const double speed_px_s = trajectory.at(time_s).speed_px_s;
        still += speed_px_s < 10;
        running += speed_px_s > 100;
    }
    EXPECT_GT(still, 0.08 * all);
    EXPECT_GT(running, 0.15 * all);
}

TEST_P(TrajectoryTest, FacesWhereItGoes) {
    const Trajectory trajectory(kTerritory, GetParam());
    int moving = 0, facing = 0;
    for (double time_s = 0; time_s < 200; time_s += 0.02) {
        const Motion before = trajectory.at(time_s - 0.001), now = trajectory.at(time_s);
        if (now.speed_px_s < 60) continue;
        const double course = std::atan2(now.y - before.y, now.x - before.x);
        ++moving;
        facing += std::abs(std::remainder(course - now.heading, 2 * M_PI)) < 0.6;
    }
    EXPECT_GT(facing, 0.97 * moving);
}

INSTANTIATE_TEST_SUITE_P(Seeds, TrajectoryTest, testing::Values(0, 1, 99));

TEST(Trajectory, SeedDecides) {
    const Trajectory one(kTerritory, 5), again(kTerritory, 5), other(kTerritory, 6);
    EXPECT_EQ(one.at(12.3).x, again.at(12.3).x);
    EXPECT_EQ(one.at(12.3).heading, again.at(12.3).heading);
    EXPECT_NE(one.at(12.3).x, other.at(12.3).x);
}

TEST(Animal, LeftEarIsOnTheLeftAndTheSnoutAhead) {
    const SimSpec spec;
    const Animal animal(spec, territory_of(spec), 3);
    for (double time_s = 0; time_s < 100; time_s += 0.1) {
        const auto& keypoints = animal.posture_at(time_s).keypoints;
        const Point head{keypoints[snout].x - keypoints[center].x, keypoints[snout].y - keypoints[center].y};
        const Point back{keypoints[tailbase].x - keypoints[center].x,
                         keypoints[tailbase].y - keypoints[center].y};
        const Point ears{keypoints[rightear].x - keypoints[leftear].x,
                         keypoints[rightear].y - keypoints[leftear].y};
        EXPECT_LT(head.x * back.x + head.y * back.y, 0) << time_s;
        // y points down: seen from above, right of the heading is a positive cross product.
        EXPECT_GT(head.x * ears.y - head.y * ears.x, 0) << time_s;
    }
}

TEST(Animal, HasTheLengthThatWasAsked) {
    SimSpec spec;
    spec.body_length_px = 90;
    const Animal animal(spec, territory_of(spec), 3);
    for (double time_s = 0; time_s < 100; time_s += 0.1) {
        const auto& keypoints = animal.posture_at(time_s).keypoints;
        const double along =
            std::hypot(keypoints[snout].x - keypoints[center].x, keypoints[snout].y - keypoints[center].y) +
            std::hypot(keypoints[tailbase].x - keypoints[center].x,
                       keypoints[tailbase].y - keypoints[center].y);
        EXPECT_NEAR(along, 0.97 * 90, 0.17 * 90) << time_s;
    }
}

}  // namespace
}  // namespace fastpose::sim
