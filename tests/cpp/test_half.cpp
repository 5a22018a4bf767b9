// Halves: exact where they can be, rounded to even where not.
#include "cuda/half.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace fastpose {
namespace {

TEST(Half, AllHalvesComeBack) {
    for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
        const Half half{static_cast<std::uint16_t>(bits)};
        const float value = float_from(half);
        if (std::isnan(value)) {
            EXPECT_TRUE(std::isnan(float_from(half_from(value))));
        } else {
            EXPECT_EQ(half_from(value).bits, half.bits) << bits;
        }
    }
}

// Between two neighbours: to the nearer one, in the middle to the even one.
TEST(Half, RoundsToTheNearestAndToEven) {
    for (std::uint32_t bits = 0; bits < 0x7bff; ++bits) {
        const double low = static_cast<double>(float_from({static_cast<std::uint16_t>(bits)}));
        const double high = static_cast<double>(float_from({static_cast<std::uint16_t>(bits + 1)}));
        const auto middle = static_cast<float>((low + high) / 2);
        EXPECT_EQ(half_from(middle).bits, bits % 2 == 0 ? bits : bits + 1) << bits;
        EXPECT_EQ(half_from(std::nextafter(middle, 0.0F)).bits, bits) << bits;
        EXPECT_EQ(half_from(std::nextafter(middle, 1e9F)).bits, bits + 1) << bits;
    }
}

TEST(Half, TooLargeIsInfinite) {
    EXPECT_EQ(float_from(half_from(65519.0F)), 65504.0F);
    EXPECT_EQ(float_from(half_from(65520.0F)), std::numeric_limits<float>::infinity());
    EXPECT_EQ(float_from(half_from(-1e30F)), -std::numeric_limits<float>::infinity());
}

}  // namespace
}  // namespace fastpose
