// The stages of the part affinity decoder one by one, then all of them.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "allocation_counter.h"
#include "base/error.h"
#include "decode/paf_affinity.h"
#include "decode/paf_assembler.h"
#include "decode/paf_decoder.h"
#include "decode/paf_links.h"
#include "decode/paf_peaks.h"
#include "decode/paf_smoothing.h"

namespace fastpose {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

std::vector<float> noise(std::size_t count, unsigned seed) {
    std::mt19937 random(seed);
    std::normal_distribution<float> normal;
    std::vector<float> values(count);
    for (float& value : values) value = normal(random);
    return values;
}

// --- smoothing ---

TEST(PafSmoothing, AGaussianOfElevenCellsWithZerosAround) {
    constexpr int width = 9, height = 4;
    std::vector<float> cells(width * height), scores(cells.size());
    cells[0] = 1;  // in the corner: the rest of the Gaussian falls off the map
    PafSmoothing(width, height, 1, false, Isa::scalar).run(cells.data(), scores.data());
    double sum = 0;
    for (int i = -5; i <= 5; ++i) sum += std::exp(-i * i / 2.0);
    for (int y = 0; y < height; ++y)
        for (int x = 0; x < width; ++x) {
            const double expected = x > 5 ? 0 : std::exp(-(x * x + y * y) / 2.0) / (sum * sum);
            EXPECT_NEAR(scores[y * width + x], expected, 1e-7) << x << ", " << y;
        }
}

TEST(PafSmoothing, EveryInstructionSetGivesTheSame) {
    for (const auto& [width, height] : {std::pair{80, 60}, {7, 3}, {1, 1}, {17, 2}}) {
        const auto cells = noise(static_cast<std::size_t>(width) * height, 3);
        std::vector<float> plain(cells.size()), wide(cells.size());
        for (const bool sigmoid : {false, true}) {
            PafSmoothing(width, height, 1.5F, sigmoid, Isa::scalar).run(cells.data(), plain.data());
            PafSmoothing(width, height, 1.5F, sigmoid, best_isa()).run(cells.data(), wide.data());
            for (std::size_t i = 0; i < cells.size(); ++i) EXPECT_NEAR(plain[i], wide[i], 1e-6);
        }
    }
}

TEST(PafSmoothing, WithoutSmoothingTheScoresAreTheSigmoid) {
    const std::vector<float> cells{0, 2, -100, 100, kNan};
    std::vector<float> scores(cells.size());
    for (const Isa isa : {Isa::scalar, best_isa()}) {
        PafSmoothing(5, 1, 0, true, isa).run(cells.data(), scores.data());
        EXPECT_FLOAT_EQ(scores[0], 0.5F);
        EXPECT_FLOAT_EQ(scores[1], 1 / (1 + std::exp(-2.0F)));
        EXPECT_NEAR(scores[2], 0, 1e-30);
        EXPECT_FLOAT_EQ(scores[3], 1);
        EXPECT_TRUE(std::isnan(scores[4]));
    }
}

// --- peaks ---

std::vector<PafPeak> peaks_of(const std::vector<float>& scores, int width, int height, int most,
                              int nms_size = 3) {
    std::vector<PafPeak> peaks(most);
    peaks.resize(find_paf_peaks(scores.data(), {width, height, nms_size, 0.1F, most}, peaks));
    return peaks;
}

TEST(PafPeaks, HighestFirstAndNoneBelowTheLeastScore) {
    const std::vector<float> scores{0.3F, 0, 0, 0.9F, 0, 0, 0.09F, 0, 0, 0, 0, 0, 0, 0};
    const auto peaks = peaks_of(scores, 7, 2, 4);
    ASSERT_EQ(peaks.size(), 2U);
    EXPECT_EQ(peaks[0].column, 3);
    EXPECT_EQ(peaks[1].column, 0);
    ASSERT_EQ(peaks_of(scores, 7, 2, 1).size(), 1U);
    EXPECT_FLOAT_EQ(peaks_of(scores, 7, 2, 1)[0].score, 0.9F);
}

TEST(PafPeaks, EveryInstructionSetGivesTheSame) {
    constexpr int width = 37, height = 11;
    auto scores = noise(width * height, 8);
    scores[40] = kNan, scores[200] = kInfinity;
    std::vector<PafPeak> plain(50), wide(50);
    const PafPeakSpec spec{width, height, 5, 0.5F, 50};
    PafPeakSpec fast = spec;
    fast.kernels = paf_kernels_for(best_isa());
    const int count = find_paf_peaks(scores.data(), spec, plain);
    ASSERT_EQ(find_paf_peaks(scores.data(), fast, wide), count);
    EXPECT_GT(count, 5);
    for (int i = 0; i < count; ++i) {
        EXPECT_EQ(plain[i].row, wide[i].row);
        EXPECT_EQ(plain[i].column, wide[i].column);
    }
}

TEST(PafPeaks, AllOfAPlateauInRowMajorOrder) {
    const std::vector<float> scores{0, 0.5F, 0.5F, 0, 0, 0, 0, 0, 0.5F};
    const auto peaks = peaks_of(scores, 3, 3, 9);
    ASSERT_EQ(peaks.size(), 3U);
    EXPECT_EQ(peaks[0].column, 1);
    EXPECT_EQ(peaks[1].column, 2);
    EXPECT_EQ(peaks[2].row, 2);
}

TEST(PafPeaks, NotFiniteIsNoPeakAndHidesItsNeighbours) {
    EXPECT_TRUE(peaks_of({0.5F, kNan, 0.5F}, 3, 1, 3).empty());
    EXPECT_TRUE(peaks_of({0.5F, kInfinity, 0.5F}, 3, 1, 3).empty());
    EXPECT_EQ(peaks_of({0.5F, 0, 0, kNan}, 4, 1, 3).size(), 1U);
}

// --- affinity ---

TEST(PafAffinity, TheFieldAlongTheWay) {
    constexpr int width = 12, height = 3;
    std::vector<float> field(2 * width * height);
    std::fill_n(field.begin(), width * height, 1.0F);  // unit vectors to the right
    const PafAffinity affinity(width, height, 10);
    EXPECT_FLOAT_EQ(affinity(field.data(), {1, 0, 1}, {1, 9, 1}), 1);
    EXPECT_FLOAT_EQ(affinity(field.data(), {1, 9, 1}, {1, 0, 1}), 1);  // the sign does not matter
    EXPECT_FLOAT_EQ(affinity(field.data(), {0, 5, 1}, {2, 5, 1}), 0);  // across
    EXPECT_FLOAT_EQ(affinity(field.data(), {1, 4, 1}, {1, 4, 1}), 0);  // no way at all
    std::fill_n(field.begin(), width * height, 0.12345F);
    EXPECT_FLOAT_EQ(affinity(field.data(), {1, 0, 1}, {1, 9, 1}), 0.123F);
    std::fill(field.begin(), field.end(), kNan);
    EXPECT_FLOAT_EQ(affinity(field.data(), {1, 0, 1}, {1, 9, 1}), 0);
}

// --- links ---

// Of two peaks of either bodypart.
auto looked_up(const std::vector<float>& affinities) {
    return
        [&affinities](std::size_t, int i, int j) { return affinities[static_cast<std::size_t>(2 * i + j)]; };
}

TEST(PafLinks, TheBestPairingAsAWhole) {
    const std::vector<PafPeak> peaks{{0, 0, 0.9F}, {3, 0, 0.8F}, {3, 9, 0.9F}, {0, 9, 0.8F}};
    PafLinks links({.limbs = {{0, 1}}, .individuals = 2});
    const std::vector<float> affinities{0.85F, 0.9F, 0.8F, 0};  // 0.9 + 0.8 is more than 0.85
    const auto found = links.run(peaks, std::array{2, 2}, looked_up(affinities));
    ASSERT_EQ(found.size(), 2U);
    EXPECT_EQ((std::array{found[0].from, found[0].to, found[1].from, found[1].to}), (std::array{0, 3, 1, 2}));
    EXPECT_FLOAT_EQ(found[0].affinity, 0.9F);
    EXPECT_FLOAT_EQ(found[1].affinity, 0.8F);
}

TEST(PafLinks, WeakPeaksAndWeakPairsAreNone) {
    const std::vector<float> weak(4, 0.04F), strong(4, 1);
    const std::vector<PafPeak> peaks{{0, 0, 0.9F}, {0, 0, 0}, {0, 9, 0.09F}, {0, 0, 0}};
    PafLinks links({.limbs = {{0, 1}}, .individuals = 2});
    EXPECT_TRUE(links.run(peaks, std::array{1, 1}, looked_up(strong)).empty());
    const std::vector<PafPeak> likely{{0, 0, 0.9F}, {0, 0, 0}, {0, 9, 0.9F}, {0, 0, 0}};
    EXPECT_TRUE(links.run(likely, std::array{1, 1}, looked_up(weak)).empty());
    EXPECT_TRUE(links.run(likely, std::array{1, 0}, looked_up(strong)).empty());
    EXPECT_EQ(links.run(likely, std::array{1, 1}, looked_up(strong)).size(), 1U);
}

// --- assembly ---

struct Nodes {
    int individuals, bodyparts;
    std::vector<PafPlace> places{static_cast<std::size_t>(individuals * bodyparts)};

    // Each animal in a column of its own, 100 px apart.
    explicit Nodes(int individuals_, int bodyparts_) : individuals(individuals_), bodyparts(bodyparts_) {
        for (int part = 0; part < bodyparts; ++part)
            for (int i = 0; i < individuals; ++i)
                places[part * individuals + i] = {100.0F * static_cast<float>(i),
                                                  10.0F * static_cast<float>(part)};
    }
    [[nodiscard]] int node(int part, int rank) const { return part * individuals + rank; }
    [[nodiscard]] PafLink link(int part_a, int rank_a, int part_b, int rank_b, float affinity) const {
        return {node(part_a, rank_a), node(part_b, rank_b), affinity};
    }
};

TEST(PafAssembler, WholeAnimalsStrongestFirst) {
    const Nodes nodes(2, 3);
    const std::vector links{nodes.link(0, 0, 1, 0, 0.6F), nodes.link(0, 1, 1, 1, 0.9F),
                            nodes.link(1, 0, 2, 0, 0.6F), nodes.link(1, 1, 2, 1, 0.9F)};
    PafAssembler assembler(2, 3, 6);
    ASSERT_EQ(assembler.run(links, nodes.places), 2);
    for (int part = 0; part < 3; ++part) {
        EXPECT_EQ(assembler.node(0, part), nodes.node(part, 1));
        EXPECT_EQ(assembler.node(1, part), nodes.node(part, 0));
    }
}

TEST(PafAssembler, AWrongLinkBetweenTwoAnimalsIsLeftOut) {
    const Nodes nodes(2, 3);
    const std::vector links{nodes.link(0, 0, 1, 0, 0.9F), nodes.link(0, 1, 1, 1, 0.8F),
                            nodes.link(1, 0, 2, 0, 0.9F), nodes.link(1, 1, 2, 1, 0.8F),
                            nodes.link(0, 0, 2, 1, 0.1F)};
    PafAssembler assembler(2, 3, 6);
    ASSERT_EQ(assembler.run(links, nodes.places), 2);
    for (int part = 0; part < 3; ++part) EXPECT_EQ(assembler.node(0, part), nodes.node(part, 0));
    for (int part = 0; part < 3; ++part) EXPECT_EQ(assembler.node(1, part), nodes.node(part, 1));
}

TEST(PafAssembler, NoLinksNoAnimals) {
    const Nodes nodes(3, 4);
    PafAssembler assembler(3, 4, 12);
    EXPECT_EQ(assembler.run({}, nodes.places), 0);
    const std::vector one{nodes.link(0, 0, 1, 0, 0.9F)};  // too little for an animal
    EXPECT_EQ(assembler.run(one, nodes.places), 0);
}

// --- all of it ---

PafDecoderSpec spec_of(int individuals, int bodyparts) {
    PafDecoderSpec spec{
        .bodyparts = bodyparts, .individuals = individuals, .map_height = 12, .map_width = 20};
    for (int a = 0; a < bodyparts; ++a)
        for (int b = a + 1; b < bodyparts; ++b) spec.limbs.push_back({a, b});
    return spec;
}

struct Maps {
    explicit Maps(const PafDecoderSpec& spec, unsigned seed = 1)
        : shape{spec.map_height, spec.map_width},
          heatmap(noise(count(spec.bodyparts), seed)),
          locref(noise(count(2 * spec.bodyparts), seed + 1)),
          limbs(noise(count(2 * static_cast<int>(spec.limbs.size())), seed + 2)) {}

    [[nodiscard]] std::size_t count(int channels) const {
        return static_cast<std::size_t>(channels) * shape[0] * shape[1];
    }
    [[nodiscard]] std::vector<TensorView> views() const {
        std::vector<TensorView> found;
        for (const auto* map : {&heatmap, &locref, &limbs}) {
            const auto channels = static_cast<int>(map->size()) / (shape[0] * shape[1]);
            found.push_back({map->data(), {1, channels, shape[0], shape[1]}});
        }
        return found;
    }

    std::array<int, 2> shape;
    std::vector<float> heatmap, locref, limbs;
};

bool all_missing(const std::vector<Keypoint>& pose) {
    return std::all_of(pose.begin(), pose.end(),
                       [](const Keypoint& k) { return is_missing(k) && k.likelihood == 0; });
}

TEST(PafDecoder, MapsOfAnotherShapeGiveNoPose) {
    const auto spec = spec_of(2, 3);
    const Maps maps(spec);
    const auto decoder = make_paf_decoder(spec);
    for (std::size_t wrong = 0; wrong < 3; ++wrong)
        for (std::size_t axis = 1; axis < 4; ++axis) {
            auto views = maps.views();
            --views[wrong].shape[axis];
            std::vector<Keypoint> pose(6, Keypoint{1, 1, 1});
            decoder->run(views, {}, {pose.data(), 2, 3});
            EXPECT_TRUE(all_missing(pose)) << wrong << ", " << axis;
        }
    std::vector<Keypoint> pose(6, Keypoint{1, 1, 1});
    const auto views = maps.views();
    decoder->run(std::span(views).first(2), {}, {pose.data(), 2, 3});
    EXPECT_TRUE(all_missing(pose));
}

TEST(PafDecoder, NoPeaksGiveNanAndNotTheOrigin) {
    const auto spec = spec_of(2, 3);
    Maps maps(spec);
    for (const float value : {-30.0F, kNan, -kInfinity}) {
        std::fill(maps.heatmap.begin(), maps.heatmap.end(), value);
        std::vector<Keypoint> pose(6, Keypoint{1, 1, 1});
        make_paf_decoder(spec)->run(maps.views(), {}, {pose.data(), 2, 3});
        EXPECT_TRUE(all_missing(pose)) << value;
    }
}

TEST(PafDecoder, ResultsAreFiniteOrMissingWhateverTheMaps) {
    for (unsigned seed = 0; seed < 60; ++seed) {
        const auto spec = spec_of(1 + seed % 4, 1 + seed / 4 % 4 + (seed % 4 == 0 ? 1 : 0));
        if (spec.limbs.empty()) continue;
        Maps maps(spec, seed);
        const auto poisons = std::array{kNan, kInfinity, -kInfinity};
        for (auto* map : {&maps.heatmap, &maps.locref, &maps.limbs})
            for (std::size_t i = seed % 7; i < map->size(); i += 13) (*map)[i] = poisons[i % 3];
        std::vector<Keypoint> pose(static_cast<std::size_t>(spec.individuals) * spec.bodyparts);
        make_paf_decoder(spec)->run(maps.views(), {}, {pose.data(), spec.individuals, spec.bodyparts});
        for (const Keypoint& k : pose)
            EXPECT_TRUE(is_missing(k) || (std::isfinite(k.x) && std::isfinite(k.y) && k.likelihood >= 0));
    }
}

TEST(PafDecoder, AllocatesNothing) {
    const auto spec = spec_of(3, 6);
    const Maps calm(spec, 1), wild(spec, 2);
    const auto first = calm.views(), second = wild.views();
    const auto decoder = make_paf_decoder(spec);
    std::vector<Keypoint> pose(18);
    start_counting_allocations();
    for (int i = 0; i < 100; ++i) decoder->run(i % 2 ? first : second, {}, {pose.data(), 3, 6});
    EXPECT_EQ(stop_counting_allocations(), 0);
}

TEST(PafDecoder, RefusesWhatCannotBe) {
    const auto refuses = [](auto change) {
        auto spec = spec_of(2, 3);
        change(spec);
        EXPECT_THROW(static_cast<void>(make_paf_decoder(spec)), ConfigError);
    };
    using Spec = PafDecoderSpec;
    refuses([](Spec& s) { s.bodyparts = 0; });
    refuses([](Spec& s) { s.individuals = 0; });
    refuses([](Spec& s) { s.individuals = 257; });
    refuses([](Spec& s) { s.map_width = 0; });
    refuses([](Spec& s) { s.map_height = -1; });
    refuses([](Spec& s) { s.stride = 0; });
    refuses([](Spec& s) { s.locref_stdev = -1; });
    refuses([](Spec& s) { s.nms_size = 4; });
    refuses([](Spec& s) { s.points_per_limb = 1; });
    refuses([](Spec& s) { s.min_score = kNan; });
    refuses([](Spec& s) { s.limbs.clear(); });
    refuses([](Spec& s) { s.limbs.push_back({1, 0}); });  // there is one already
    refuses([](Spec& s) { s.limbs.push_back({0, 3}); });
    refuses([](Spec& s) { s.limbs.push_back({1, 1}); });
}

}  // namespace
}  // namespace fastpose
