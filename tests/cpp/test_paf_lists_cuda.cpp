// Peaks and limbs by kernels, animals by the host: the poses of the decoders that read the maps themselves,
// in floats and in halves, for each row of a batch.
#include "decode/paf_lists_cuda.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include "allocation_counter.h"
#include "base/error.h"
#include "cuda/emulated_calls.h"
#include "cuda/stream.h"
#include "decode/paf_lists.h"
#include "engine/batch.h"
#include "engine/kernels_host.h"

namespace fastpose {
namespace {

constexpr int rows = 3, parts = 4, individuals = 3, map_height = 14, map_width = 19;
constexpr int cells = map_height * map_width;
const std::vector<std::array<int, 2>> limbs{{0, 1}, {1, 2}, {2, 3}};
constexpr DecodeAffine affine{1.25F, 0.5F, 3, -4};

float as_half(float value) { return float_from(half_from(value)); }

struct Maps {
    std::vector<float> values;
    std::vector<Half> halves;
    std::array<int, 4> shape;

    Maps(int channels, std::vector<float> from)
        : values(std::move(from)), shape{rows, channels, map_height, map_width} {
        for (float& value : values) value = as_half(value), halves.push_back(half_from(value));
    }
    [[nodiscard]] DeviceOutput on_device(DeviceElement element) {
        void* data = element == DeviceElement::f16 ? static_cast<void*>(halves.data()) : values.data();
        return {{"maps", shape, element, TensorLayout::nchw}, data};
    }
    [[nodiscard]] TensorView view() const { return {values.data(), shape}; }
};

Maps noise(int channels, unsigned seed, float sigma) {
    std::vector<float> values(static_cast<std::size_t>(rows) * channels * cells);
    std::mt19937 random(seed);
    std::normal_distribution<float> normal(0, sigma);
    for (float& value : values) value = normal(random);
    return {channels, values};
}

// Bumps, so that animals are found; many more than individuals in the last row, none in the first.
Maps bumps(float low, float high) {
    Maps maps = noise(parts, 5, 0.01F);
    std::mt19937 random(9);
    for (float& value : maps.values) value += low;
    for (int row = 1; row < rows; ++row)
        for (int part = 0; part < parts; ++part)
            for (int bump = 0; bump < (row == 1 ? 2 : 9); ++bump) {
                const std::size_t map = static_cast<std::size_t>(row * parts + part) * cells;
                maps.values[map + random() % cells] += high + 0.1F * static_cast<float>(random() % 7);
            }
    return {parts, maps.values};
}

// The lists of all rows, as a graph makes them.
struct Made {
    EmulatedCuda cuda{host_kernels()};
    std::vector<DeviceOutput> outputs;
    CudaLists lists;
    CudaGraph graph{cuda};
    std::unique_ptr<GraphInstance> instance;
    CudaStream stream{cuda, false};

    Made(const PafListsSpec& spec, std::vector<DeviceOutput> maps)
        : outputs(std::move(maps)), lists(cuda, spec, outputs, rows) {
        static_cast<void>(lists.add_to(graph, {}));
        instance = std::make_unique<GraphInstance>(cuda, graph);
        EXPECT_EQ(instance->launch(stream.handle()), 0);
    }
    [[nodiscard]] std::vector<TensorView> row(int index) const {
        std::vector<TensorView> views;
        for (const DeviceOutput& list : lists.lists())
            views.push_back(row_of({static_cast<const float*>(list.data), list.tensor.shape}, index, rows));
        return views;
    }
};

std::vector<TensorView> row_of_all(std::span<Maps* const> maps, int index) {
    std::vector<TensorView> views;
    for (const Maps* map : maps) views.push_back(row_of(map->view(), index, rows));
    return views;
}

// Returns how many keypoints both found.
int expect_same(Decoder& of_lists, Decoder& of_maps, const Made& made, std::span<Maps* const> maps) {
    int found = 0;
    for (int row = 0; row < rows; ++row) {
        std::vector<Keypoint> ours(individuals * parts), theirs(individuals * parts);
        of_lists.run(made.row(row), affine, {ours.data(), individuals, parts});
        of_maps.run(row_of_all(maps, row), affine, {theirs.data(), individuals, parts});
        for (std::size_t i = 0; i < ours.size(); ++i) {
            EXPECT_EQ(std::isnan(ours[i].x), std::isnan(theirs[i].x)) << row << ": " << i;
            EXPECT_NEAR(ours[i].likelihood, theirs[i].likelihood, 1e-5F);
            if (std::isnan(ours[i].x) || std::isnan(theirs[i].x)) continue;
            EXPECT_NEAR(ours[i].x, theirs[i].x, 1e-3F);
            EXPECT_NEAR(ours[i].y, theirs[i].y, 1e-3F);
            ++found;
        }
    }
    return found;
}

PafDecoderSpec paf_spec(float smoothing_cells, ScoreActivation activation) {
    return {.bodyparts = parts,
            .individuals = individuals,
            .limbs = limbs,
            .map_height = map_height,
            .map_width = map_width,
            .stride = 8,
            .locref_stdev = 7.25F,
            .activation = activation,
            .smoothing_cells = smoothing_cells,
            .min_likelihood = 0.05F};
}

PafTreeSpec tree_spec(int most_peaks) {
    return {.bodyparts = parts,
            .individuals = individuals,
            .limbs = limbs,
            .order = {0, 1, 2},
            .map_height = map_height,
            .map_width = map_width,
            .limb_height = map_height,
            .limb_width = map_width,
            .limb_stride = 2,
            .most_peaks = most_peaks,
            .min_affinity = 0};
}

class PafLists : public testing::TestWithParam<DeviceElement> {};

TEST_P(PafLists, AnimalsOfDeepLabCut) {
    for (const float smoothing : {0.0F, 1.0F})
        for (const auto activation : {ScoreActivation::sigmoid, ScoreActivation::clip}) {
            const bool logits = activation == ScoreActivation::sigmoid;
            Maps heatmap = bumps(logits ? -4 : 0, logits ? 6 : 0.9F), locref = noise(2 * parts, 6, 1);
            Maps fields = noise(6, 7, 0.6F);
            Maps* const maps[]{&heatmap, &locref, &fields};
            const PafDecoderSpec spec = paf_spec(smoothing, activation);
            const Made made(spec, {heatmap.on_device(GetParam()), locref.on_device(GetParam()),
                                   fields.on_device(GetParam())});
            EXPECT_EQ(made.lists.inputs(), 3U);
            const int found = expect_same(*make_paf_lists_decoder(spec), *make_paf_decoder(spec), made, maps);
            EXPECT_GT(found, parts) << smoothing;
        }
}

TEST_P(PafLists, AnimalsOfOneBodypartAndOneAnimal) {
    Maps heatmap = bumps(0, 0.5F), fields = noise(6, 7, 0.6F);
    Maps* const maps[]{&heatmap, &fields};
    PafDecoderSpec spec = paf_spec(0, ScoreActivation::none);
    spec.locref_stdev = 0;
    spec.individuals = 1;
    const Made one(spec, {heatmap.on_device(GetParam()), fields.on_device(GetParam())});
    EXPECT_GT(expect_same(*make_paf_lists_decoder(spec), *make_paf_decoder(spec), one, maps), 0);
}

TEST_P(PafLists, AnimalsOfSleap) {
    Maps heatmap = bumps(0, 0.5F), fields = noise(6, 7, 0.6F);
    Maps* const maps[]{&heatmap, &fields};
    for (const int most_peaks : {2, 5, 64}) {  // fewer than there are, and more
        const PafTreeSpec spec = tree_spec(most_peaks);
        const Made made(spec, {heatmap.on_device(GetParam()), fields.on_device(GetParam())});
        EXPECT_GT(expect_same(*make_paf_tree_lists_decoder(spec), *make_paf_tree_decoder(spec), made, maps),
                  parts);
    }
}

INSTANTIATE_TEST_SUITE_P(Elements, PafLists, testing::Values(DeviceElement::f32, DeviceElement::f16),
                         [](const auto& tested) { return std::string(name_of(tested.param)); });

// A full list, then one that is shorter: nothing of the first is left.
TEST(PafListsCuda, AShorterListForgetsTheLongerOne) {
    Maps heatmap = bumps(0, 0.9F), fields = noise(6, 7, 0.6F);
    PafDecoderSpec spec = paf_spec(0, ScoreActivation::none);
    spec.locref_stdev = 0;
    Made made(spec, {heatmap.on_device(DeviceElement::f32), fields.on_device(DeviceElement::f32)});
    EXPECT_GE(made.row(2)[0].data[4 * (individuals - 1) + 3], 0);
    std::fill(heatmap.values.begin(), heatmap.values.end(), 0.0F);
    ASSERT_EQ(made.instance->launch(made.stream.handle()), 0);
    for (int rank = 0; rank < individuals; ++rank) EXPECT_LT(made.row(2)[0].data[4 * rank + 3], 0);
}

TEST(PafListsCuda, DecodesWithoutAllocation) {
    Maps heatmap = bumps(0, 0.9F), fields = noise(6, 7, 0.6F);
    PafDecoderSpec spec = paf_spec(0, ScoreActivation::none);
    spec.locref_stdev = 0;
    const Made made(spec, {heatmap.on_device(DeviceElement::f32), fields.on_device(DeviceElement::f32)});
    const auto decoder = make_paf_lists_decoder(spec);
    const auto tree = make_paf_tree_lists_decoder(tree_spec(individuals));
    const auto lists = made.row(2);
    std::vector<Keypoint> pose(individuals * parts);
    start_counting_allocations();
    for (int i = 0; i < 20; ++i) {
        decoder->run(lists, affine, {pose.data(), individuals, parts});
        tree->run(lists, affine, {pose.data(), individuals, parts});
    }
    EXPECT_EQ(stop_counting_allocations(), 0);
}

TEST(PafListsCuda, RefusesWhatDoesNotFit) {
    EmulatedCuda cuda(host_kernels());
    Maps heatmap = bumps(0, 0.9F), fields = noise(4, 7, 0.6F);
    std::vector<DeviceOutput> outputs{heatmap.on_device(DeviceElement::f32),
                                      fields.on_device(DeviceElement::f32)};
    PafDecoderSpec spec = paf_spec(1, ScoreActivation::none);
    EXPECT_THROW(CudaLists(cuda, spec, outputs, rows), ConfigError);  // no locref
    spec.locref_stdev = 0;
    EXPECT_THROW(CudaLists(cuda, spec, outputs, rows), ConfigError);  // fewer limbs
    EXPECT_THROW(CudaLists(cuda, tree_spec(4), outputs, rows), ConfigError);
    spec.nms_size = 4;
    EXPECT_THROW((void)make_paf_lists_decoder(spec), ConfigError);
    EXPECT_EQ(cuda.alive(), 0);
    std::vector<Keypoint> pose(individuals * parts);
    spec.nms_size = 5;
    make_paf_lists_decoder(spec)->run(std::vector{heatmap.view()}, affine, {pose.data(), individuals, parts});
    EXPECT_TRUE(std::isnan(pose[0].x));  // outputs of another shape
}

}  // namespace
}  // namespace fastpose
