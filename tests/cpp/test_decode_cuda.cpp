// The decode kernels find what the CPU decoders find, in floats and in halves, for each row of a batch.
#include "decode/decode_cuda.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include "base/error.h"
#include "decode/paf_peaks.h"

namespace fastpose {
namespace {

constexpr int rows = 3, parts = 5, map_height = 13, map_width = 17, cells = map_height * map_width;
constexpr float nan = std::numeric_limits<float>::quiet_NaN(), inf = std::numeric_limits<float>::infinity();
const RowParameters parameters[rows] = {
    {0, 0, 0, 0, 1, 1, 0, 0}, {0, 0, 0, 0, 2, 0.5F, 3, -4}, {5, 5, 0, 0, 1.25F, 1.25F, 100, 50}};

std::vector<float> noise(std::size_t count, unsigned seed = 3) {
    std::vector<float> values(count);
    std::mt19937 random(seed);
    std::normal_distribution<float> normal(0, 2);
    // As halves hold them, so that both precisions see the same numbers.
    for (float& value : values) value = float_from(half_from(normal(random)));
    return values;
}

std::vector<Half> halves(const std::vector<float>& values) {
    std::vector<Half> found;
    for (const float value : values) found.push_back(half_from(value));
    return found;
}

// Tensors in "device" memory of the test's own.
struct Outputs {
    std::vector<std::vector<float>> floats;
    std::vector<std::vector<Half>> as_halves;
    std::vector<DeviceOutput> outputs;

    void add(std::vector<float> values, std::array<int, 4> shape, DeviceElement element) {
        floats.push_back(std::move(values));
        as_halves.push_back(halves(floats.back()));
        void* data = element == DeviceElement::f16 ? static_cast<void*>(as_halves.back().data())
                                                   : static_cast<void*>(floats.back().data());
        outputs.push_back({{"maps", shape, element, TensorLayout::nchw}, data});
    }
    [[nodiscard]] std::vector<TensorView> row(int index, bool batch_in_second) const {
        std::vector<TensorView> views;
        for (std::size_t o = 0; o < outputs.size(); ++o) {
            std::array<int, 4> shape = outputs[o].tensor.shape;
            shape[batch_in_second ? 1 : 0] = 1;
            views.push_back(
                {floats[o].data() + static_cast<std::size_t>(index) * TensorView{nullptr, shape}.size(),
                 shape});
        }
        return views;
    }
};

using Poses = std::vector<Keypoint>;

Poses by_kernel(const CudaDecodeSpec& spec, const Outputs& outputs, int individuals = 1) {
    Poses poses(static_cast<std::size_t>(rows * individuals * parts), missing_keypoint());
    const DecodeKernel kernel =
        plan_decode(spec, outputs.outputs, {poses.data(), parameters, rows, individuals, parts});
    const auto* maps = std::get_if<MapArguments>(&kernel.arguments);
    if (kernel.kernel == KernelId::decode_heatmap) decode_heatmap_on_host(*maps, rows);
    if (kernel.kernel == KernelId::decode_soft_window) decode_soft_window_on_host(*maps, rows);
    if (kernel.kernel == KernelId::decode_peaks) decode_peaks_on_host(*maps, rows);
    if (kernel.kernel == KernelId::decode_simcc)
        decode_simcc_on_host(std::get<SimccArguments>(kernel.arguments), rows);
    return poses;
}

Poses by_cpu(Decoder& decoder, const Outputs& outputs, bool batch_in_second = false) {
    Poses poses(static_cast<std::size_t>(rows * parts));
    for (int row = 0; row < rows; ++row) {
        const RowParameters& at = parameters[row];
        decoder.run(outputs.row(row, batch_in_second), {at.scale_x, at.scale_y, at.offset_x, at.offset_y},
                    {&poses[static_cast<std::size_t>(row * parts)], 1, parts});
    }
    return poses;
}

void expect_same(const Poses& found, const Poses& wanted) {
    ASSERT_EQ(found.size(), wanted.size());
    for (std::size_t i = 0; i < found.size(); ++i) {
        ASSERT_EQ(std::isnan(found[i].x), std::isnan(wanted[i].x)) << i;
        EXPECT_NEAR(found[i].likelihood, wanted[i].likelihood, 1e-5F) << i;
        if (std::isnan(found[i].x)) continue;
        EXPECT_NEAR(found[i].x, wanted[i].x, 1e-3F) << i;
        EXPECT_NEAR(found[i].y, wanted[i].y, 1e-3F) << i;
    }
}

class DecodeKernels : public testing::TestWithParam<DeviceElement> {};

TEST_P(DecodeKernels, HeatmapAndLocref) {
    auto heatmap = noise(rows * parts * cells), locref = noise(2 * rows * parts * cells, 4);
    std::fill_n(heatmap.begin(), cells, nan);        // no keypoint
    heatmap[cells + 20] = heatmap[cells + 90] = 30;  // the first counts
    heatmap[2 * cells + 7] = inf;                    // an overflow
    heatmap[3 * cells + 5] = 40;
    locref[2 * 3 * cells + 5] = nan;
    Outputs outputs;
    outputs.add(heatmap, {rows, parts, map_height, map_width}, GetParam());
    outputs.add(locref, {rows, 2 * parts, map_height, map_width}, GetParam());
    for (const auto activation : {ScoreActivation::none, ScoreActivation::sigmoid, ScoreActivation::clip}) {
        const HeatmapDecoderSpec spec{parts, map_height, map_width, 8, 7.25F, activation};
        const Poses poses = by_kernel(spec, outputs);
        expect_same(poses, by_cpu(*make_heatmap_decoder(spec), outputs));
        EXPECT_TRUE(std::isnan(poses[0].x) && std::isnan(poses[2].x) && std::isnan(poses[3].x));
        EXPECT_FALSE(std::isnan(poses[1].x));
    }
    const HeatmapDecoderSpec plain{parts, map_height, map_width, 4, 0, ScoreActivation::sigmoid};
    expect_same(by_kernel(plain, outputs), by_cpu(*make_heatmap_decoder(plain), outputs));
}

TEST_P(DecodeKernels, Simcc) {
    auto x = noise(rows * parts * 96), y = noise(rows * parts * 64, 5);
    x[3] = nan;
    std::fill_n(x.begin() + 96, 96, 0.0F);  // no more than chance
    std::fill_n(y.begin() + 64, 64, 0.0F);
    Outputs outputs;
    outputs.add(x, {1, rows, parts, 96}, GetParam());
    outputs.add(y, {1, rows, parts, 64}, GetParam());
    for (const bool softmax : {true, false}) {
        const SimccDecoderSpec spec{parts, 96, 64, 2, softmax ? 3.0F : 1.0F, softmax};
        expect_same(by_kernel(spec, outputs), by_cpu(*make_simcc_decoder(spec), outputs, true));
    }
}

TEST_P(DecodeKernels, SoftWindow) {
    auto heatmap = noise(rows * parts * cells);
    std::fill_n(heatmap.begin(), cells, 0.1F);  // below min_score
    heatmap[cells] = 50;                        // a corner
    Outputs outputs;
    outputs.add(heatmap, {rows, parts, map_height, map_width}, GetParam());
    const SoftWindowSpec spec{parts, map_height, map_width, 2, 5, 0.2F};
    expect_same(by_kernel(spec, outputs), by_cpu(*make_soft_window_decoder(spec), outputs));
}

TEST_P(DecodeKernels, PeaksOfSeveralAnimals) {
    auto heatmap = noise(rows * parts * cells);
    heatmap[50] = heatmap[51] = 20;  // a plateau: each cell of it is a peak
    std::fill_n(heatmap.begin() + cells, cells, -1.0F);
    Outputs outputs;
    outputs.add(heatmap, {rows, parts, map_height, map_width}, GetParam());
    constexpr int individuals = 4;
    const PeaksDecoderSpec spec{parts, map_height, map_width, 8, 0, ScoreActivation::none, 5, 0.5F};
    const Poses poses = by_kernel(spec, outputs, individuals);
    for (int row = 0; row < rows; ++row)
        for (int part = 0; part < parts; ++part) {
            PafPeak peaks[individuals];
            const int count = find_paf_peaks(heatmap.data() + (row * parts + part) * cells,
                                             {map_width, map_height, 5, 0.5F, individuals}, peaks);
            for (int i = 0; i < individuals; ++i) {
                const Keypoint& found =
                    poses[static_cast<std::size_t>((row * individuals + i) * parts + part)];
                ASSERT_EQ(std::isnan(found.x), i >= count) << row << part << i;
                if (i >= count) continue;
                const RowParameters& at = parameters[row];
                const auto x = (static_cast<float>(peaks[i].column) + 0.5F) * 8;
                EXPECT_EQ(found.x, x * at.scale_x + at.offset_x);
                EXPECT_EQ(found.likelihood, peaks[i].score);
            }
        }
    EXPECT_FALSE(std::isnan(poses[0].x) || std::isnan(poses[parts].x));
    EXPECT_TRUE(std::isnan(poses[1].x));
}

INSTANTIATE_TEST_SUITE_P(Elements, DecodeKernels, testing::Values(DeviceElement::f32, DeviceElement::f16),
                         [](const auto& info) { return std::string(name_of(info.param)); });

// A block's threads look at every n-th cell: however many there are, the first maximum wins.
TEST(DecodeCuda, AnyNumberOfThreadsFindsTheSame) {
    auto map = noise(cells);
    map[100] = map[30] = map[31] = 9;
    const MapView view{map.data(), DeviceElement::f32};
    for (const int threads : {1, 2, 32, 256}) {
        Candidate best;
        for (int thread = threads - 1; thread >= 0; --thread)
            best = best_of(best, strided_argmax(view, cells, thread, threads));
        EXPECT_EQ(best.index, 30) << threads;
    }
}

TEST(DecodeCuda, RefusesWhatDoesNotFit) {
    Outputs outputs;
    outputs.add(noise(rows * parts * cells), {rows, parts, map_height, map_width}, DeviceElement::f32);
    const HeatmapDecoderSpec with_locref{parts, map_height, map_width, 8, 7.25F, ScoreActivation::none};
    EXPECT_THROW(by_kernel(with_locref, outputs), ConfigError);
    const HeatmapDecoderSpec wider{parts, map_height, map_width + 1, 8, 0, ScoreActivation::none};
    EXPECT_THROW(by_kernel(wider, outputs), ConfigError);
    const PeaksDecoderSpec even{parts, map_height, map_width, 8, 0, ScoreActivation::none, 4, 0};
    EXPECT_THROW(by_kernel(even, outputs), ConfigError);
    outputs.outputs[0].tensor.layout = TensorLayout::nhwc;
    const HeatmapDecoderSpec plain{parts, map_height, map_width, 8, 0, ScoreActivation::none};
    EXPECT_THROW(by_kernel(plain, outputs), ConfigError);
}

}  // namespace
}  // namespace fastpose
