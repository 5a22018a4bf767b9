// Histogram percentiles.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "latency/histogram.h"

namespace fastpose {
namespace {

TEST(LatencyHistogram, PercentilesLieWithinTheirBucket) {
    LatencyHistogram histogram;
    std::mt19937_64 random(1);
    std::lognormal_distribution<double> latency(15.0, 1.5);
    std::vector<std::int64_t> values;
    for (int i = 0; i < 20000; ++i) {
        values.push_back(static_cast<std::int64_t>(latency(random)));
        histogram.add(values.back());
    }
    std::sort(values.begin(), values.end());
    for (const double p : {0.5, 0.9, 0.99, 0.999}) {
        const auto exact = static_cast<double>(values[static_cast<std::size_t>(std::ceil(p * 20000)) - 1]);
        EXPECT_NEAR(static_cast<double>(histogram.quantile_ns(p)) / exact, 1.0, 0.017) << p;
    }
    EXPECT_EQ(histogram.summary().max_ns, values.back());
    EXPECT_EQ(histogram.summary().n, 20000);
}

TEST(LatencyHistogram, SmallHugeAndNegativeValues) {
    LatencyHistogram histogram;
    EXPECT_EQ(histogram.summary().p50_ns, 0);
    for (const std::int64_t value : {-5, 0, 63, 64, 127, 128}) histogram.add(value);
    EXPECT_EQ(histogram.quantile_ns(1.0), 128);
    EXPECT_EQ(histogram.quantile_ns(0.5), 63);
    histogram.add(std::int64_t{1} << 60);
    EXPECT_EQ(histogram.summary().max_ns, std::int64_t{1} << 60);
    EXPECT_EQ(histogram.summary().n, 7);
}

}  // namespace
}  // namespace fastpose
