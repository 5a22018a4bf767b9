// What all filters share: missing keypoints, gaps, restarts, no allocation; run for each filter.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <ostream>
#include <vector>

#include "base/error.h"
#include "filter/filter.h"

namespace fastpose {
namespace {

constexpr float nan = std::numeric_limits<float>::quiet_NaN();
constexpr std::int64_t frame_ns = 10'000'000;

struct Poses {
    explicit Poses(std::vector<Keypoint> start) : keypoints(std::move(start)) {}
    PoseView view() { return {keypoints.data(), 1, static_cast<int>(keypoints.size())}; }
    std::vector<Keypoint> keypoints;
};

struct Case {
    const char* name;
    std::function<std::unique_ptr<Filter>(int bodyparts)> make;
};

void PrintTo(const Case& one, std::ostream* out) { *out << one.name; }

class EveryFilter : public testing::TestWithParam<Case> {
  protected:
    // Applies one frame of one keypoint and gives the filtered one.
    static Keypoint apply(Filter& filter, Keypoint keypoint, std::int64_t time_ns) {
        Poses pose({keypoint});
        filter.apply(pose.view(), time_ns);
        return pose.keypoints[0];
    }
};

TEST_P(EveryFilter, FirstKeypointPassesUnchanged) {
    const auto filter = GetParam().make(1);
    const Keypoint out = apply(*filter, {12.5f, 40.25f, 0.9f}, 0);
    EXPECT_EQ(out.x, 12.5f);
    EXPECT_EQ(out.y, 40.25f);
    EXPECT_EQ(out.likelihood, 0.9f);
}

TEST_P(EveryFilter, OneMissingCoordinateMakesBothMissingAndTouchesNoOther) {
    const auto filter = GetParam().make(2);
    Poses pose({{10, 10, 1}, {20, 20, 1}});
    filter->apply(pose.view(), 0);
    pose.keypoints = {{nan, 11, 0.1f}, {20, 20, 1}};
    filter->apply(pose.view(), frame_ns);
    EXPECT_TRUE(std::isnan(pose.keypoints[0].x));
    EXPECT_TRUE(std::isnan(pose.keypoints[0].y));
    EXPECT_EQ(pose.keypoints[0].likelihood, 0.1f);
    EXPECT_FLOAT_EQ(pose.keypoints[1].x, 20);
}

TEST_P(EveryFilter, AnInfiniteKeypointDoesNotPoisonTheState) {
    const auto filter = GetParam().make(1);
    apply(*filter, {10, 10, 1}, 0);
    const float infinity = std::numeric_limits<float>::infinity();
    EXPECT_TRUE(std::isnan(apply(*filter, {infinity, 10, 1}, frame_ns).x));
    EXPECT_FLOAT_EQ(apply(*filter, {10, 10, 1}, 2 * frame_ns).x, 10);
}

TEST_P(EveryFilter, SmoothsAStepWithinTheGap) {
    const auto filter = GetParam().make(1);
    for (int i = 0; i < 50; ++i) apply(*filter, {10, 10, 1}, i * frame_ns);
    const float after_500_ms = apply(*filter, {110, 10, 1}, 49 * frame_ns + 500'000'000).x;
    EXPECT_GT(after_500_ms, 10);
    EXPECT_LT(after_500_ms, 110);
}

TEST_P(EveryFilter, StartsAnewAfterALongerGap) {
    const auto filter = GetParam().make(1);
    for (int i = 0; i < 50; ++i) apply(*filter, {10, 10, 1}, i * frame_ns);
    EXPECT_EQ(apply(*filter, {110, 10, 1}, 49 * frame_ns + 500'000'001).x, 110);
}

TEST_P(EveryFilter, StartsAnewWhenTimeDoesNotAdvance) {
    for (const std::int64_t step_ns : {std::int64_t{0}, -frame_ns}) {
        const auto filter = GetParam().make(1);
        for (int i = 0; i < 50; ++i) apply(*filter, {10, 10, 1}, i * frame_ns);
        EXPECT_EQ(apply(*filter, {110, 10, 1}, 49 * frame_ns + step_ns).x, 110);
    }
}

TEST_P(EveryFilter, ResetForgets) {
    const auto filter = GetParam().make(1);
    for (int i = 0; i < 50; ++i) apply(*filter, {10, 10, 1}, i * frame_ns);
    filter->reset();
    EXPECT_EQ(apply(*filter, {110, 10, 1}, 0).x, 110);
}

TEST_P(EveryFilter, ManyTimeStepsStayFinite) {
    const auto filter = GetParam().make(1);
    std::int64_t time_ns = 0;
    for (int i = 0; i < 100'000; ++i) {
        time_ns += i % 7 == 0 ? 1 : 1 + (i % 13) * 1'000'000;
        const Keypoint out = apply(*filter, {100 + static_cast<float>(i % 5), 50, 1}, time_ns);
        ASSERT_TRUE(std::abs(out.x - 102) < 3 && std::abs(out.y - 50) < 1) << "frame " << i << ": " << out.x;
    }
}

TEST_P(EveryFilter, AnEmptyPoseIsRefused) { EXPECT_THROW((void)GetParam().make(0), ConfigError); }

INSTANTIATE_TEST_SUITE_P(Filter, EveryFilter,
                         testing::Values(Case{"OneEuro", [](int n) { return make_one_euro({}, 1, n); }},
                                         Case{"Kalman", [](int n) { return make_kalman({}, 1, n); }}),
                         [](const auto& parameter) { return parameter.param.name; });

}  // namespace
}  // namespace fastpose
