// Animals along a tree of limbs: places, slots, and no allocation while it runs.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <vector>

#include "allocation_counter.h"
#include "base/error.h"
#include "decode/paf_tree_decoder.h"

namespace fastpose {
namespace {

constexpr int kWidth = 16, kHeight = 8;

PafTreeSpec two_parts(int individuals) {
    return {.bodyparts = 2,
            .individuals = individuals,
            .limbs = {{0, 1}},
            .order = {0},
            .map_height = kHeight,
            .map_width = kWidth,
            .limb_height = kHeight,
            .limb_width = kWidth,
            .stride = 2,
            .limb_stride = 2,
            .window = 1,
            .length_ratio = 1};
}

// Two animals, one above the other, each from column 2 to 8; the field leads to the right.
struct Maps {
    std::vector<float> heatmap = std::vector<float>(2 * kWidth * kHeight, 0.0F);
    std::vector<float> fields = std::vector<float>(2 * kWidth * kHeight, 0.0F);

    Maps() {
        std::fill_n(fields.begin(), kWidth * kHeight, 1.0F);
        std::fill_n(fields.begin(), kWidth * (kHeight / 2), 0.5F);
        for (const int row : {2, 6}) {
            heatmap[row * kWidth + 2] = 0.7F;
            heatmap[(kHeight + row) * kWidth + 8] = 0.9F;
        }
    }
    [[nodiscard]] std::array<TensorView, 2> views() const {
        return {TensorView{heatmap.data(), {1, 2, kHeight, kWidth}},
                TensorView{fields.data(), {1, 2, kHeight, kWidth}}};
    }
};

TEST(PafTreeDecoder, AnimalsInTheOrderOfTheirRoots) {
    const Maps maps;
    std::vector<Keypoint> pose(3 * 2);
    make_paf_tree_decoder(two_parts(3))->run(maps.views(), {10, 10, 1, 2}, {pose.data(), 3, 2});
    EXPECT_EQ(pose[0].x, 41);
    EXPECT_EQ(pose[0].y, 42);
    EXPECT_EQ(pose[1].x, 161);
    EXPECT_FLOAT_EQ(pose[1].likelihood, 0.9F);
    EXPECT_EQ(pose[2].y, 122);
    EXPECT_TRUE(is_missing(pose[4]) && pose[4].likelihood == 0);
}

TEST(PafTreeDecoder, TheStrongestWhereThereAreMore) {
    const Maps maps;
    std::vector<Keypoint> pose(2);
    make_paf_tree_decoder(two_parts(1))->run(maps.views(), {1, 1, 0, 0}, {pose.data(), 1, 2});
    EXPECT_EQ(pose[0].y, 12);  // the lower one lies in the stronger field
}

TEST(PafTreeDecoder, RunsWithoutAllocation) {
    const Maps maps;
    std::vector<Keypoint> pose(3 * 2);
    const auto decoder = make_paf_tree_decoder(two_parts(3));
    const auto views = maps.views();
    start_counting_allocations();
    for (int i = 0; i < 100; ++i) decoder->run(views, {1, 1, 0, 0}, {pose.data(), 3, 2});
    EXPECT_EQ(stop_counting_allocations(), 0);
}

TEST(PafTreeDecoder, RefusesLimbsThatAreNoTree) {
    PafTreeSpec spec = two_parts(1);
    spec.order = {0, 0};
    EXPECT_THROW((void)make_paf_tree_decoder(spec), ConfigError);
}

}  // namespace
}  // namespace fastpose
