// Decoders of networks that classify coordinates or give keypoints themselves, and of detectors.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "base/error.h"
#include "decode/box_decoder.h"
#include "decode/decoder.h"

namespace fastpose {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

bool missing(const Keypoint& keypoint) { return is_missing(keypoint) && keypoint.likelihood == 0; }

TEST(SimccDecoder, MaximumOverTheSplitRatioAndTheLowerSoftmax) {
    const std::vector<float> x{0, 0, 2, 0}, y{0, 1, 0, 0, 0, 0};
    const std::vector<TensorView> outputs{{x.data(), {1, 1, 1, 4}}, {y.data(), {1, 1, 1, 6}}};
    Keypoint keypoint{};
    make_simcc_decoder({1, 4, 6, 2, 3, true})->run(outputs, {10, 10, 1, 2}, {&keypoint, 1, 1});
    EXPECT_FLOAT_EQ(keypoint.x, 10 * 1.0F + 1);
    EXPECT_FLOAT_EQ(keypoint.y, 10 * 0.5F + 2);
    EXPECT_FLOAT_EQ(keypoint.likelihood, 1 / (1 + 5 * std::exp(-3.0F)));  // of y; of x: 1 / (1 + 3 exp(-6))
}

TEST(SimccDecoder, ChanceAndNoFiniteMaximumAreMissing) {
    for (const float value : {0.0F, kNan, std::numeric_limits<float>::infinity()}) {
        const std::vector<float> x(4, value), y{0, 5, 0, 0};
        const std::vector<TensorView> outputs{{x.data(), {1, 1, 1, 4}}, {y.data(), {1, 1, 1, 4}}};
        Keypoint keypoint{};
        make_simcc_decoder({1, 4, 4, 2, 1, true})->run(outputs, {}, {&keypoint, 1, 1});
        EXPECT_TRUE(missing(keypoint)) << value;
    }
}

TEST(SimccDecoder, OutputsOfAnotherShapeGiveNoPose) {
    const std::vector<float> x(4), y(4, 1);
    const std::vector<TensorView> outputs{{x.data(), {1, 1, 1, 4}}, {y.data(), {1, 1, 2, 2}}};
    Keypoint keypoint{};
    make_simcc_decoder({1, 4, 4, 2, 1, true})->run(outputs, {}, {&keypoint, 1, 1});
    EXPECT_TRUE(missing(keypoint));
    EXPECT_THROW(static_cast<void>(make_simcc_decoder({1, 0, 4, 2, 1, true})), ConfigError);
    EXPECT_THROW(static_cast<void>(make_simcc_decoder({1, 4, 4, 0, 1, true})), ConfigError);
}

TEST(PointsDecoder, AsManyIndividualsAsThereAre) {
    const std::vector<float> points{1, 2, 0.5F, 3, 4, 2, 5, kNan, 1, 7, 8, -1};
    const std::vector<TensorView> outputs{{points.data(), {1, 2, 2, 3}}};
    std::vector<Keypoint> pose(6);
    make_points_decoder({2, ScoreActivation::clip})->run(outputs, {2, 2, 10, 20}, {pose.data(), 3, 2});
    EXPECT_FLOAT_EQ(pose[0].x, 12);
    EXPECT_FLOAT_EQ(pose[0].y, 24);
    EXPECT_FLOAT_EQ(pose[0].likelihood, 0.5F);
    EXPECT_FLOAT_EQ(pose[1].likelihood, 1);
    EXPECT_TRUE(missing(pose[2]));
    EXPECT_FLOAT_EQ(pose[3].likelihood, 0);
    EXPECT_TRUE(missing(pose[4]) && missing(pose[5]));
    make_points_decoder({3, ScoreActivation::clip})->run(outputs, {}, {pose.data(), 2, 3});
    EXPECT_TRUE(missing(pose[0]));
}

TEST(BoxDecoder, BestFirstAboveTheScoreAndNoneWithoutArea) {
    const std::vector<float> edges{0, 0, 4, 4, 1, 1, 5, 5, 3, 3, 3, 9, 2, 2, kNan, 9, 6, 6, 8, 8, 7, 7, 8, 8};
    const std::vector<float> scores{0.7F, 0.9F, 1.0F, 1.0F, 0.5F, 0.7F};
    const std::vector<TensorView> outputs{{edges.data(), {1, 1, 6, 4}}, {scores.data(), {1, 1, 1, 6}}};
    std::vector<Box> boxes(3);
    const auto decoder = make_box_decoder({0.6F});
    ASSERT_EQ(decoder->run(outputs, {2, 2, 100, 50}, boxes), 3);
    EXPECT_FLOAT_EQ(boxes[0].score, 0.9F);
    EXPECT_FLOAT_EQ(boxes[0].left, 102);
    EXPECT_FLOAT_EQ(boxes[0].bottom, 60);
    EXPECT_FLOAT_EQ(boxes[1].left, 100);  // of equal ones the first
    EXPECT_FLOAT_EQ(boxes[2].left, 114);
    EXPECT_EQ(decoder->run(outputs, {}, {boxes.data(), 1}), 1);
    EXPECT_FLOAT_EQ(boxes[0].score, 0.9F);
    EXPECT_EQ(decoder->run(outputs, {}, {}), 0);
}

TEST(BoxDecoder, NothingFound) {
    const std::vector<TensorView> outputs{{nullptr, {1, 1, 0, 4}}, {nullptr, {1, 1, 1, 0}}};
    std::vector<Box> boxes(2);
    EXPECT_EQ(make_box_decoder({0.6F})->run(outputs, {}, boxes), 0);
}

TEST(CentroidDecoder, LocalMaximaBestFirst) {
    std::vector<float> map(5 * 6, 0);
    map[1 * 6 + 1] = 0.6F;
    map[1 * 6 + 2] = 0.6F;  // equal and beside it: the first counts
    map[4 * 6 + 5] = 0.9F;  // at the edge
    map[3 * 6 + 1] = 0.1F;  // too low
    const std::vector<TensorView> outputs{{map.data(), {1, 1, 5, 6}}};
    std::vector<Box> boxes(4);
    ASSERT_EQ(make_centroid_decoder({5, 6, 4, 0.2F, 1})->run(outputs, {}, boxes), 2);
    EXPECT_FLOAT_EQ(boxes[0].left, 20);
    EXPECT_FLOAT_EQ(boxes[0].top, 16);
    EXPECT_FLOAT_EQ(boxes[1].right, 4);
    EXPECT_FLOAT_EQ(boxes[1].score, 0.6F);
    ASSERT_EQ(make_centroid_decoder({5, 6, 4, 0.2F, 3})->run(outputs, {}, boxes), 2);
    EXPECT_FLOAT_EQ(boxes[1].right, 4 * 1.5F);  // half way to its equal neighbour
}

TEST(SoftWindowDecoder, WeightedMeanWithoutHalfACell) {
    std::vector<float> map(5 * 6, 0);
    map[2 * 6 + 3] = 0.6F;
    map[2 * 6 + 4] = 0.3F;
    map[1 * 6 + 3] = 0.1F;
    const std::vector<TensorView> outputs{{map.data(), {1, 1, 5, 6}}};
    Keypoint keypoint{};
    make_soft_window_decoder({1, 5, 6, 2, 3, 0.2F})->run(outputs, {}, {&keypoint, 1, 1});
    EXPECT_FLOAT_EQ(keypoint.x, 2 * 3.3F);
    EXPECT_FLOAT_EQ(keypoint.y, 2 * 1.9F);
    EXPECT_FLOAT_EQ(keypoint.likelihood, 0.6F);
    make_soft_window_decoder({1, 5, 6, 2, 3, 0.7F})->run(outputs, {}, {&keypoint, 1, 1});
    EXPECT_TRUE(missing(keypoint));
    EXPECT_THROW(static_cast<void>(make_soft_window_decoder({1, 5, 6, 2, 4, 0.2F})), ConfigError);
}

TEST(SoftmaxDecoder, OnePeakIsItsPlace) {
    std::vector<float> map(9 * 8, 0);
    map[4 * 8 + 3] = 1;
    std::vector<TensorView> outputs{{map.data(), {1, 1, 9, 8}}};
    Keypoint keypoint{};
    const auto decoder = make_softmax_decoder({1, 9, 8, 4, 2, 1000, 2, 1.5F});
    decoder->run(outputs, {}, {&keypoint, 1, 1});
    // The enlarged map's maximum lies at 4 * 3 + 1.5 and the shift takes 1.5 off.
    EXPECT_NEAR(keypoint.x, 12, 0.51);
    EXPECT_NEAR(keypoint.y, 16, 0.51);
    EXPECT_NEAR(keypoint.likelihood, 1, 1e-3);
    map[0] = kNan;
    decoder->run(outputs, {}, {&keypoint, 1, 1});
    EXPECT_TRUE(missing(keypoint));
}

}  // namespace
}  // namespace fastpose
