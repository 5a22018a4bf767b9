// One network, a row for each camera.
#include "engine/batch.h"

#include <gtest/gtest.h>

#include <cmath>

#include "allocation_counter.h"
#include "base/error.h"
#include "engine_rig.h"

namespace fastpose {
namespace {

using testing_rig::bodyparts;
using testing_rig::side;

constexpr int cells = side / 8;

// The peak of row r lies in the cell (1 + 4 r, 1 + 4 r), around the edge.
std::shared_ptr<Backend> backend(int rows) {
    std::vector<float> heatmap(static_cast<std::size_t>(rows * bodyparts * cells * cells), -6.0F);
    std::vector<float> locref(2 * heatmap.size(), 0.0F);
    for (int row = 0; row < rows; ++row)
        for (int part = 0; part < bodyparts; ++part) {
            const int at = (1 + 4 * row) % cells;
            heatmap[static_cast<std::size_t>(((row * bodyparts + part) * cells + at) * cells + at)] = 6.0F;
        }
    return make_fake_backend({rows, 1, side, side}, {{{rows, bodyparts, cells, cells}, heatmap},
                                                     {{rows, 2 * bodyparts, cells, cells}, locref}});
}

std::shared_ptr<Batch> batch_of(int rows, int backend_rows) {
    PreprocessSpec preprocess;
    preprocess.frame_width = preprocess.frame_height = preprocess.output_width = preprocess.output_height =
        side;
    preprocess.roi = {0, 0, side, side};
    HeatmapDecoderSpec decode;
    decode.bodyparts = bodyparts;
    decode.map_width = decode.map_height = cells;
    BatchParts parts;
    for (int row = 0; row < rows; ++row) parts.preprocessors.push_back(make_preprocessor(preprocess));
    parts.backend = backend(backend_rows);
    parts.decoder = make_heatmap_decoder(decode);
    return make_batch(std::move(parts));
}

struct Row {
    std::vector<std::uint8_t> pixels = std::vector<std::uint8_t>(side * side);
    FrameView frame{pixels.data(), side, side, side, PixelFormat::mono8};
    FrameRecord record{};
    std::vector<Keypoint> keypoints = std::vector<Keypoint>(bodyparts);

    [[nodiscard]] BatchItem item() { return {&frame, &record, {keypoints.data(), 1, bodyparts}}; }
};

TEST(Batch, EachRowGetsItsOwnPose) {
    const auto batch = batch_of(2, 2);
    Row rows[2];
    const BatchItem items[]{rows[0].item(), rows[1].item()};
    ASSERT_TRUE(batch->run(items));
    EXPECT_NEAR(rows[0].keypoints[0].x, 12.0F, 1e-4);
    EXPECT_NEAR(rows[1].keypoints[1].x, 44.0F, 1e-4);
    for (const Row& row : rows) {
        EXPECT_LE(row.record.preprocessed_ns, row.record.inferred_ns);
        EXPECT_LE(row.record.inferred_ns, row.record.decoded_ns);
        EXPECT_GT(row.record.preprocessed_ns, 0);
    }
}

TEST(Batch, ARowWithoutAFrameIsLeftAlone) {
    const auto batch = batch_of(2, 2);
    Row rows[2];
    const BatchItem items[]{{}, rows[1].item()};
    ASSERT_TRUE(batch->run(items));
    EXPECT_NEAR(rows[1].keypoints[0].y, 44.0F, 1e-4);
    EXPECT_EQ(rows[0].record.inferred_ns, 0);
}

TEST(Batch, ARowIsAnEstimatorOfItsOwn) {
    const auto row = make_batch_row(batch_of(2, 2), 1);
    Row one;
    ASSERT_TRUE(row->run(one.frame, one.record, {one.keypoints.data(), 1, bodyparts}));
    EXPECT_NEAR(one.keypoints[0].x, 44.0F, 1e-4);
    EXPECT_EQ(row->roi().width, side);
}

TEST(Batch, AllocatesNothing) {
    const auto batch = batch_of(2, 2);
    Row rows[2];
    const BatchItem items[]{rows[0].item(), rows[1].item()};
    start_counting_allocations();
    bool good = true;
    for (int i = 0; i < 1000; ++i) good = batch->run(items) && good;
    EXPECT_EQ(stop_counting_allocations(), 0);
    EXPECT_TRUE(good);
}

TEST(Batch, RefusesAnotherNumberOfRows) {
    EXPECT_THROW((void)batch_of(2, 3), ConfigError);
    EXPECT_THROW((void)make_batch_row(batch_of(2, 2), 2), ConfigError);
    EXPECT_THROW(static_cast<void>(make_batch(BatchParts{})), ConfigError);
}

}  // namespace
}  // namespace fastpose
