// Cameras' counters of any width against the true number of exposures.
#include "camera/frame_counter.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "base/error.h"

namespace fastpose {
namespace {

constexpr std::int64_t ms = 1'000'000, s = 1'000 * ms;

// The number that a camera gives to its exposure `index`, counted from `begin`.
std::uint64_t raw_of(CounterRange range, std::uint64_t begin, std::uint64_t index) {
    const std::uint64_t width = range.last - range.first + 1;  // 0: all 64 bits
    const std::uint64_t left = range.last - begin;             // before it wraps
    if (index <= left) return begin + index;
    const std::uint64_t after = index - left - 1;
    return range.first + (width == 0 ? after : after % width);
}

class FrameCounterRanges : public testing::TestWithParam<const char*> {};

TEST_P(FrameCounterRanges, CountEveryExposureThroughWrapsAndGaps) {
    const CounterRange range = counter_range_from(GetParam());
    for (unsigned seed = 0; seed < 20; ++seed) {
        std::mt19937_64 random(seed);
        std::uniform_int_distribution<int> step(1, 6), long_gap(0, 200);
        const std::uint64_t begin = range.last - 500;  // it wraps soon
        FrameCounter counter(range, 100);
        std::uint64_t index = 0;
        const FrameCount first = counter.next(raw_of(range, begin, 0), 0);
        for (int i = 0; i < 2000; ++i) {
            index += static_cast<std::uint64_t>(long_gap(random) == 0 ? 5000 : step(random));
            const auto at = static_cast<std::int64_t>(index) * 10 * ms;
            const FrameCount count = counter.next(raw_of(range, begin, index), at);
            ASSERT_FALSE(count.reset) << index;
            ASSERT_EQ(count.counter - first.counter, static_cast<std::int64_t>(index));
        }
    }
}

TEST_P(FrameCounterRanges, NeverFallAndFlagAReset) {
    const CounterRange range = counter_range_from(GetParam());
    for (unsigned seed = 0; seed < 200; ++seed) {
        std::mt19937_64 random(seed);
        const std::uint64_t before_reset = 400 + random() % 20000;
        FrameCounter counter(range, 100);
        std::int64_t last = -1;
        std::int64_t at = 0;
        for (std::uint64_t i = before_reset - 10; i < before_reset; ++i, at += 10 * ms)
            last = counter.next(raw_of(range, range.first, i), at).counter;
        const FrameCount reset = counter.next(range.first, at + 2 * s);
        EXPECT_TRUE(reset.reset) << seed;
        EXPECT_EQ(reset.counter, last + 1);
        const FrameCount next = counter.next(range.first + 1, at + 2 * s + 10 * ms);
        EXPECT_FALSE(next.reset);
        EXPECT_EQ(next.counter, last + 2);
    }
}

INSTANTIATE_TEST_SUITE_P(Names, FrameCounterRanges,
                         testing::Values("uint16", "uint32", "uint64", "gvsp16", "gvsp64"),
                         [](const auto& named) { return std::string(named.param); });

TEST(FrameCounter, BeginsWithTheCamerasOwnNumber) {
    EXPECT_EQ(FrameCounter(counter_range_from("uint32")).next(41, 0).counter, 41);
    EXPECT_GE(FrameCounter(counter_range_from("uint64")).next(~std::uint64_t{0}, 0).counter, 0);
}

TEST(FrameCounter, BlockIdsSkipZero) {
    FrameCounter counter(counter_range_from("gvsp16"), 100);
    EXPECT_EQ(counter.next(65534, 0).counter, 65534);
    EXPECT_EQ(counter.next(65535, 10 * ms).counter, 65535);
    const FrameCount wrapped = counter.next(1, 20 * ms);
    EXPECT_EQ(wrapped.counter, 65536);
    EXPECT_FALSE(wrapped.reset);
    EXPECT_TRUE(counter.next(0, 30 * ms).reset);  // no block id: the camera counts otherwise now
}

TEST(FrameCounter, AGapThatDoesNotFitIntoTheTimeIsAReset) {
    FrameCounter counter(counter_range_from("gvsp16"), 100);
    EXPECT_EQ(counter.next(40000, 0).counter, 40000);
    EXPECT_TRUE(counter.next(1, 10 * ms).reset);     // 25,535 frames in 10 ms
    EXPECT_FALSE(counter.next(120, 20 * ms).reset);  // frames that waited
    EXPECT_TRUE(counter.next(5000, 30 * ms).reset);
}

TEST(FrameCounter, NoNumberTellsHowOftenItWentRound) {
    FrameCounter counter(counter_range_from("gvsp16"), 1000);
    EXPECT_FALSE(counter.next(5, 0).reset);
    EXPECT_TRUE(counter.next(6, 70 * s).reset);  // 70,000 exposures fit into that
}

TEST(FrameCounter, WithoutARateHalfTheRangeIsBelieved) {
    FrameCounter counter(counter_range_from("uint16"));
    EXPECT_EQ(counter.next(60000, 0).counter, 60000);
    EXPECT_EQ(counter.next(20000, 1).counter, 60000 + 25536);
    EXPECT_TRUE(counter.next(19000, 2).reset);
}

TEST(FrameCounter, ANumberThatStaysCountsNothing) {
    FrameCounter counter(counter_range_from("uint32"), 100);
    EXPECT_EQ(counter.next(0, 0).counter, 0);
    for (int i = 1; i < 5; ++i) {
        const FrameCount count = counter.next(0, i * 10 * ms);
        EXPECT_EQ(count.counter, -1);
        EXPECT_FALSE(count.reset);
    }
    EXPECT_EQ(counter.next(1, 50 * ms).counter, 1);
}

TEST(FrameCounter, ARestartIsToldByTheDriver) {
    FrameCounter counter(counter_range_from("uint32"), 100);
    counter.restart();
    EXPECT_FALSE(counter.next(10, 0).reset);  // nothing came before
    counter.restart();
    const FrameCount again = counter.next(12, 10 * ms);
    EXPECT_TRUE(again.reset);
    EXPECT_EQ(again.counter, 11);
    EXPECT_FALSE(counter.next(13, 20 * ms).reset);
}

TEST(FrameCounter, AnUnknownNameIsRefused) {
    try {
        static_cast<void>(counter_range_from("uint8"));
        FAIL();
    } catch (const ConfigError& error) {
        EXPECT_NE(std::string(error.what()).find("uint16, uint32, uint64, gvsp16, gvsp64"),
                  std::string::npos);
    }
}

}  // namespace
}  // namespace fastpose
