// Heatmap decoder: every instruction set finds the first maximum, ignores NaN, and reads nothing beyond the
// maps.
#include "decode/decoder.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

#include "base/error.h"
#include "decode/argmax.h"
#include "decode/heatmap_decoder.h"
#include "guarded_memory.h"

namespace fastpose {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

std::vector<Isa> isas() {
    std::vector<Isa> result;
    for (int isa = 0; isa <= static_cast<int>(best_isa()); ++isa) result.push_back(static_cast<Isa>(isa));
    return result;
}

// The first maximum, found in the plainest way.
Peak expected_peak(const std::vector<float>& cells) {
    Peak peak{0, -kInfinity};
    for (std::size_t i = 0; i < cells.size(); ++i) {
        if (!std::isnan(cells[i]) && cells[i] > peak.value) peak = {i, cells[i]};
    }
    return peak;
}

TEST(Argmax, FirstMaximumOfAnyCount) {
    std::mt19937 random(1);
    for (std::size_t count = 0; count < 300; ++count) {
        const GuardedMemory memory(count * sizeof(float));
        std::vector<float> cells(count);
        for (auto& cell : cells) cell = random() % 5 == 0 ? kNan : static_cast<float>(random() % 40) - 20;
        if (count > 0) std::memcpy(memory.data(), cells.data(), count * sizeof(float));
        const Peak expected = expected_peak(cells);
        for (const Isa isa : isas()) {
            const Peak actual = argmax_for(isa)(reinterpret_cast<const float*>(memory.data()), count);
            EXPECT_EQ(actual.value, expected.value) << name_of(isa) << ", " << count;
            if (expected.value == -kInfinity) continue;
            EXPECT_EQ(actual.index, expected.index) << name_of(isa) << ", " << count;
        }
    }
}

TEST(Argmax, NegativeZeroIsNoLessThanZero) {
    std::vector<float> cells(40, -1);
    cells[7] = -0.0F;
    cells[30] = 0.0F;
    for (const Isa isa : isas())
        EXPECT_EQ(argmax_for(isa)(cells.data(), cells.size()).index, 7U) << name_of(isa);
}

struct Maps {
    std::vector<float> heatmap, locref;
    std::vector<TensorView> views;
};

// Two bodyparts on maps of 3 x 4 cells.
Maps make_maps() {
    Maps maps{std::vector<float>(24, -3), std::vector<float>(48, 0), {}};
    maps.heatmap[1 * 4 + 2] = 2;  // row 1, column 2
    maps.locref[1 * 4 + 2] = 0.5F;
    maps.locref[12 + 1 * 4 + 2] = -0.25F;
    maps.heatmap[12 + 11] = -1;
    maps.views = {{maps.heatmap.data(), {1, 2, 3, 4}}, {maps.locref.data(), {1, 4, 3, 4}}};
    return maps;
}

constexpr HeatmapDecoderSpec kSpec{
    .bodyparts = 2, .map_height = 3, .map_width = 4, .stride = 8, .locref_stdev = 4};

TEST(HeatmapDecoder, CellCentreLocrefAndSensorPixels) {
    const Maps maps = make_maps();
    std::vector<Keypoint> keypoints(2);
    make_heatmap_decoder(kSpec)->run(maps.views, {2, 3, 100, 200}, {keypoints.data(), 1, 2});
    EXPECT_FLOAT_EQ(keypoints[0].x, 2 * (2.5F * 8 + 2) + 100);
    EXPECT_FLOAT_EQ(keypoints[0].y, 3 * (1.5F * 8 - 1) + 200);
    EXPECT_FLOAT_EQ(keypoints[0].likelihood, 1 / (1 + std::exp(-2.0F)));
    EXPECT_FLOAT_EQ(keypoints[1].x, 2 * (3.5F * 8) + 100);
    EXPECT_FLOAT_EQ(keypoints[1].likelihood, 1 / (1 + std::exp(1.0F)));
}

TEST(HeatmapDecoder, ActivationOfTheMaximum) {
    const Maps maps = make_maps();
    std::vector<Keypoint> keypoints(2);
    HeatmapDecoderSpec spec = kSpec;
    spec.activation = ScoreActivation::clip;
    make_heatmap_decoder(spec)->run(maps.views, {}, {keypoints.data(), 1, 2});
    EXPECT_EQ(keypoints[0].likelihood, 1);
    EXPECT_EQ(keypoints[1].likelihood, 0);
    spec.activation = ScoreActivation::none;
    make_heatmap_decoder(spec)->run(maps.views, {}, {keypoints.data(), 1, 2});
    EXPECT_EQ(keypoints[0].likelihood, 2);
    EXPECT_EQ(keypoints[1].likelihood, -1);
}

TEST(HeatmapDecoder, AMapWithoutFiniteMaximumTouchesNoOther) {
    for (const float value : {kNan, -kInfinity, kInfinity}) {
        Maps maps = make_maps();
        std::fill_n(maps.heatmap.begin() + 12, 12, value);
        std::vector<Keypoint> keypoints(2);
        make_heatmap_decoder(kSpec)->run(maps.views, {}, {keypoints.data(), 1, 2});
        EXPECT_FLOAT_EQ(keypoints[0].x, 22);
        EXPECT_TRUE(std::isnan(keypoints[1].x) && std::isnan(keypoints[1].y));
        EXPECT_EQ(keypoints[1].likelihood, 0);
    }
}

TEST(HeatmapDecoder, OutputsOfAnotherShapeGiveNoPose) {
    Maps maps = make_maps();
    maps.views[1].shape = {1, 4, 4, 3};
    std::vector<Keypoint> keypoints(2, {1, 2, 1});
    make_heatmap_decoder(kSpec)->run(maps.views, {}, {keypoints.data(), 1, 2});
    EXPECT_TRUE(is_missing(keypoints[0]) && is_missing(keypoints[1]));
}

TEST(HeatmapDecoder, OtherIndividualsAreMissing) {
    const Maps maps = make_maps();
    std::vector<Keypoint> keypoints(4, {1, 2, 1});
    make_heatmap_decoder(kSpec)->run(maps.views, {}, {keypoints.data(), 2, 2});
    EXPECT_FALSE(is_missing(keypoints[1]));
    EXPECT_TRUE(is_missing(keypoints[2]) && is_missing(keypoints[3]));
}

TEST(HeatmapDecoder, RefusesImpossibleSpecs) {
    const auto refused = [](HeatmapDecoderSpec spec) {
        EXPECT_THROW(static_cast<void>(make_heatmap_decoder(spec)), ConfigError);
    };
    refused({.bodyparts = 0, .map_height = 3, .map_width = 4});
    refused({.bodyparts = 1, .map_height = 0, .map_width = 4});
    refused({.bodyparts = 1, .map_height = 3, .map_width = 4, .stride = 0});
    refused({.bodyparts = 1, .map_height = 3, .map_width = 4, .stride = 8, .locref_stdev = -1});
}

}  // namespace
}  // namespace fastpose
