// Estimators: the roi that follows the animal, and a detector before the network.
#include "engine/estimator.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "allocation_counter.h"
#include "base/error.h"
#include "infer/fake_backend.h"

namespace fastpose {
namespace {

constexpr int side = 64;  // px of the square frame
constexpr float nan = std::numeric_limits<float>::quiet_NaN();

std::vector<std::uint8_t> black() { return std::vector<std::uint8_t>(side * side); }
FrameView view_of(const std::vector<std::uint8_t>& pixels) {
    return {pixels.data(), side, side, side, PixelFormat::mono8};
}

PreprocessSpec spec_of(Roi roi) {
    PreprocessSpec spec;
    spec.frame_width = spec.frame_height = side;
    spec.roi = roi;
    spec.output_width = roi.width;
    spec.output_height = roi.height;
    return spec;
}

// Each run gives the next of `results`, poses of one bodypart.
std::shared_ptr<Backend> points_backend(std::array<int, 4> input, std::vector<float> results,
                                        int individuals = 1) {
    return make_fake_backend(input, {{{1, individuals, 1, 3}, std::move(results)}});
}

StageParts points_stage(Roi roi, std::vector<float> results) {
    return {make_preprocessor(spec_of(roi)),
            points_backend({1, 1, roi.height, roi.width}, std::move(results)),
            make_points_decoder({1, ScoreActivation::none})};
}

struct Tracked {
    std::shared_ptr<Estimator> estimator;
    std::vector<std::uint8_t> pixels = black();
    Keypoint keypoint{};
    FrameRecord record{};

    explicit Tracked(Roi area = {0, 0, side, side}, std::vector<float> wide = {40, 40, 1},
                     std::vector<float> narrow = {8, 8, 1}, int step_px = 1)
        : estimator(make_track_roi({points_stage(area, std::move(wide)),
                                    points_stage({area.x, area.y, 16, 16}, std::move(narrow)), 4, step_px,
                                    0.5F})) {}

    Roi step(bool filtered_is_lost = false) {
        const Roi seen = estimator->roi();
        EXPECT_TRUE(estimator->run(view_of(pixels), record, {&keypoint, 1, 1}));
        Keypoint filtered = filtered_is_lost ? Keypoint{nan, nan, nan} : keypoint;
        estimator->follow({&filtered, 1, 1});
        return seen;
    }
};

TEST(TrackRoi, FollowsTheKeypointsFromTheSecondFrameOn) {
    Tracked tracked;
    EXPECT_EQ(tracked.step().width, side);
    EXPECT_FLOAT_EQ(tracked.keypoint.x, 40);
    const Roi second = tracked.step();
    EXPECT_EQ(second.width, 16);
    EXPECT_NEAR(second.x, 40 - 7.5, 0.51);
    EXPECT_FLOAT_EQ(tracked.keypoint.x, static_cast<float>(second.x) + 8);
    EXPECT_GT(tracked.record.preprocessed_ns, 0);
    EXPECT_LE(tracked.record.preprocessed_ns, tracked.record.inferred_ns);
    EXPECT_LE(tracked.record.inferred_ns, tracked.record.decoded_ns);
}

TEST(TrackRoi, StaysInsideTheFrame) {
    Tracked tracked({0, 0, side, side}, {63, 1, 1});
    tracked.step();
    const Roi roi = tracked.step();
    EXPECT_EQ(roi.x, side - 16);
    EXPECT_EQ(roi.y, 0);
}

TEST(TrackRoi, StaysInsideAStaticCrop) {
    Tracked tracked({20, 10, 30, 30}, {1, 29, 1});
    EXPECT_EQ(tracked.step().x, 20);
    EXPECT_FLOAT_EQ(tracked.keypoint.x, 21);
    const Roi roi = tracked.step();
    EXPECT_EQ(roi.x, 20);
    EXPECT_EQ(roi.y, 10 + 30 - 16);
}

TEST(TrackRoi, MovesInStepsFromTheCornerOfTheArea) {
    const auto corner_after = [](std::vector<Keypoint> filtered, int step_px) {
        Tracked tracked({2, 0, 40, 40}, {1, 1, 1}, {8, 8, 1}, step_px);
        tracked.estimator->follow({filtered.data(), 1, static_cast<int>(filtered.size())});
        return tracked.estimator->roi().x;
    };
    EXPECT_EQ(corner_after({{20, 20, 1}}, 1), 12);
    EXPECT_EQ(corner_after({{20, 20, 1}}, 8), 2 + 8);
    EXPECT_EQ(corner_after({{41, 20, 1}}, 8), 2 + 40 - 16);
}

TEST(TrackRoi, SearchesTheWholeAreaWhenLost) {
    Tracked unlikely({0, 0, side, side}, {40, 40, 1}, {8, 8, 0.4F});
    unlikely.step();
    EXPECT_EQ(unlikely.step().width, 16);
    EXPECT_EQ(unlikely.step().width, side);

    Tracked missing;
    missing.step();
    EXPECT_EQ(missing.step(true).width, 16);
    EXPECT_EQ(missing.step().width, side);
}

TEST(TrackRoi, SearchesTheWholeAreaWhenTheAnimalDoesNotFit) {
    const auto roi_after = [](float spread) {
        Tracked tracked;
        std::vector<Keypoint> filtered{{30, 30, 1}, {30 + spread, 30, 1}, {0, 0, 0.1F}};
        tracked.estimator->follow({filtered.data(), 1, 3});
        return tracked.estimator->roi().width;
    };
    EXPECT_EQ(roi_after(7), 16);  // 8 px and twice 4 px
    EXPECT_EQ(roi_after(8), side);
}

TEST(TrackRoi, AllocatesNothing) {
    Tracked tracked({0, 0, side, side}, {40, 40, 1, 10, 50, 1}, {8, 8, 1, 3, 5, 1, 1, 1, 0});
    tracked.step();
    start_counting_allocations();
    for (int i = 0; i < 1000; ++i) tracked.step();
    EXPECT_EQ(stop_counting_allocations(), 0);
}

TEST(TrackRoi, RefusesARoiLargerThanTheArea) { EXPECT_THROW(Tracked({0, 0, 15, 30}), ConfigError); }

// A detector that finds two animals, one, and none in turn; crops of 8 x 8 px; the network's points are the
// crop's (2, 3) in the first row of the batch and (4, 5) in the second.
struct TopDownRig {
    std::shared_ptr<Backend> pose;
    std::shared_ptr<Estimator> estimator;
    std::vector<std::uint8_t> pixels = black();
    std::vector<Keypoint> keypoints = std::vector<Keypoint>(3);
    FrameRecord record{};

    explicit TopDownRig(TensorFormat format = {})
        : pose(make_fake_backend({3, 1, 8, 8}, {{{1, 3, 1, 3}, {2, 3, 0.9F, 4, 5, 0.8F, 6, 7, 0.7F}}},
                                 format)) {
        const std::vector<float> boxes{10, 20, 26, 36, 0, 0, 8, 8, 4, 4, 12, 12,
                                       0,  0,  0,  0,  0, 0, 1, 1, 0, 0, 1,  1};
        const std::vector<float> scores{0.9F, 0.8F, 0.1F, 0.95F, 0.2F, 0.3F};
        CropSpec crop;
        crop.frame = spec_of({0, 0, side, side});
        crop.frame.tensor = format;
        crop.frame.output_width = crop.frame.output_height = 8;
        estimator = make_top_down(
            {make_preprocessor(spec_of({0, 0, side, side})),
             make_fake_backend({1, 1, side, side}, {{{1, 1, 2, 4}, boxes}, {{1, 1, 1, 2}, scores}}),
             make_box_decoder({0.6F}),
             make_cropper(crop),
             {nullptr, pose, make_points_decoder({1, ScoreActivation::none})}});
    }

    void step() { EXPECT_TRUE(estimator->run(view_of(pixels), record, {keypoints.data(), 3, 1})); }
};

TEST(TopDown, EachAnimalInItsOwnPlace) {
    TopDownRig rig;
    rig.step();  // boxes of 16 and 8 px: scales 2 and 1
    EXPECT_FLOAT_EQ(rig.keypoints[0].x, 2 * 2 + 10);
    EXPECT_FLOAT_EQ(rig.keypoints[0].y, 3 * 2 + 20);
    EXPECT_FLOAT_EQ(rig.keypoints[1].x, 4);
    EXPECT_FLOAT_EQ(rig.keypoints[1].likelihood, 0.8F);
    EXPECT_TRUE(is_missing(rig.keypoints[2]));
    EXPECT_LE(rig.record.preprocessed_ns, rig.record.inferred_ns);
    EXPECT_LE(rig.record.inferred_ns, rig.record.decoded_ns);
}

TEST(TopDown, WithoutDetectionEveryKeypointIsMissing) {
    TopDownRig rig;
    for (int i = 0; i < 3; ++i) rig.step();
    for (const Keypoint& keypoint : rig.keypoints) EXPECT_TRUE(is_missing(keypoint));
    EXPECT_GT(rig.record.decoded_ns, 0);
}

TEST(TopDown, AllocatesNothing) {
    TopDownRig rig;
    start_counting_allocations();
    for (int i = 0; i < 1000; ++i) rig.step();
    EXPECT_EQ(stop_counting_allocations(), 0);
}

TEST(TopDown, CropsLieInTheBatch) {
    TopDownRig rig;
    rig.pixels[22 * side + 12] =
        100;  // in the first box: its crop's cell (1, 1) is the mean of 2 x 2 px and more
    rig.pixels[3 * side + 5] = 51;  // in the second, at the crop's own resolution
    rig.step();
    const auto* batch = static_cast<const float*>(rig.pose->input().data);
    EXPECT_GT(batch[1 * 8 + 1], 0);
    EXPECT_FLOAT_EQ(batch[64 + 3 * 8 + 5], 51.0F / 255);
}

TEST(TopDown, CropsOfBytes) {
    TopDownRig rig({ElementType::u8, TensorLayout::nchw});
    rig.pixels[3 * side + 5] = 255;
    rig.step();
    const auto* batch = static_cast<const std::uint8_t*>(rig.pose->input().data);
    EXPECT_EQ(batch[64 + 3 * 8 + 5], 1);  // scale 1 / 255
    EXPECT_EQ(batch[64 + 3 * 8 + 4], 0);
}

TEST(Estimator, RefusesATensorThatTheNetworkDoesNotTake) {
    const Roi roi{0, 0, 16, 16};
    StageParts parts = points_stage(roi, {1, 1, 1});
    parts.backend =
        make_fake_backend({1, 1, 16, 16}, {{{1, 1, 1, 3}, {1, 1, 1}}}, {ElementType::u8, TensorLayout::nchw});
    EXPECT_THROW(static_cast<void>(make_single_stage(parts)), ConfigError);
}

TEST(Estimator, RefusesMissingStages) {
    EXPECT_THROW(static_cast<void>(make_single_stage({})), ConfigError);
    EXPECT_THROW(static_cast<void>(make_top_down({})), ConfigError);
}

}  // namespace
}  // namespace fastpose
