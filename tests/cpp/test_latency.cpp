// Histogram percentiles and the fit of a camera's clock.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "latency/clock_fit.h"
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

TEST(ClockFit, FindsOffsetAndDriftThroughNoise) {
    ClockFit fit;
    std::mt19937 random(2);
    std::uniform_int_distribution<int> delay(200, 40'000);  // ns
    const auto camera_at = [](std::int64_t host) {
        return 12'500'000'000 + static_cast<std::int64_t>(static_cast<double>(host) * (1 + 35e-6));
    };
    for (int i = 0; i < 200; ++i) {
        const std::int64_t host = 1'000'000'000'000 + i * 250'000'000LL;
        fit.add(host - delay(random), camera_at(host), host + delay(random));
    }
    EXPECT_NEAR(fit.drift_ppm(), 35.0, 1.0);
    const std::int64_t later = 1'000'000'000'000 + 200 * 250'000'000LL;
    EXPECT_NEAR(static_cast<double>(fit.to_host_ns(camera_at(later)) - later), 0.0, 20'000.0);
    EXPECT_LT(fit.residual_ns(), 20'000.0);
}

TEST(ClockFit, OffsetAloneFromOneReading) {
    ClockFit fit;
    EXPECT_FALSE(fit.fitted());
    fit.add(1000, 5'000'000, 1200);
    EXPECT_TRUE(fit.fitted());
    EXPECT_EQ(fit.to_host_ns(5'000'000), 1100);
    EXPECT_EQ(fit.to_host_ns(6'000'000), 1'001'100);
}

}  // namespace
}  // namespace fastpose
