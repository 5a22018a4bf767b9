// The fit of a camera's clock against clocks whose truth is known: drift, asymmetric readings, garbage,
// jumps.
#include "latency/clock_fit.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include "allocation_counter.h"

namespace fastpose {
namespace {

constexpr std::int64_t ms = 1'000'000, s = 1'000 * ms;
constexpr std::int64_t start_ns = 1'000'000 * s;

// A camera whose clock is known.
struct Truth {
    double drift_ppm = 35;
    std::int64_t offset_ns = -999'000 * s;
    [[nodiscard]] std::int64_t camera_ns(std::int64_t host_ns) const {
        const auto elapsed = static_cast<double>(host_ns - start_ns);
        return host_ns + offset_ns + std::llround(1e-6 * drift_ppm * elapsed);
    }
};

// Where in its interval the camera is read: 0 at the begin, 1 at the end.
struct Link {
    std::int64_t shortest_ns = 200, longest_ns = 40'000;
    double lean_from = 0, lean_to = 1;
};

class Reader {
  public:
    Reader(const Truth& truth, const Link& link, unsigned seed) : truth_(truth), link_(link), random_(seed) {}
    void read(ClockFit& fit, std::int64_t host_ns) {
        std::uniform_int_distribution<std::int64_t> width(link_.shortest_ns, link_.longest_ns);
        std::uniform_real_distribution<double> lean(link_.lean_from, link_.lean_to);
        const std::int64_t w = width(random_);
        const auto at = host_ns + std::llround(lean(random_) * static_cast<double>(w));
        fit.add(host_ns, truth_.camera_ns(at), host_ns + w);
    }
    Truth& truth() { return truth_; }

  private:
    Truth truth_;
    Link link_;
    std::mt19937 random_;
};

double off_ns(const ClockFit& fit, const Truth& truth, std::int64_t host_ns) {
    return std::abs(static_cast<double>(fit.to_host_ns(truth.camera_ns(host_ns)) - host_ns));
}

TEST(ClockFit, OffsetAloneFromOneReading) {
    ClockFit fit;
    EXPECT_FALSE(fit.fitted());
    EXPECT_EQ(fit.report().source, ClockSource::none);
    fit.add(1000, 5'000'000, 1200);
    EXPECT_TRUE(fit.fitted());
    EXPECT_EQ(fit.to_host_ns(5'000'000), 1100);
    EXPECT_EQ(fit.to_host_ns(6'000'000), 1'001'100);
    EXPECT_GE(fit.error_ns(5'000'000), 100);
    EXPECT_GE(fit.error_ns(1'005'000'000), 100e3);  // a crystal of 100 ppm, a second later
}

TEST(ClockFit, FindsOffsetAndDriftThroughNoise) {
    ClockFit fit;
    Reader reader({}, {}, 2);
    for (int i = 0; i < 200; ++i) reader.read(fit, start_ns + i * 250 * ms);
    const ClockReport report = fit.report();
    EXPECT_EQ(report.source, ClockSource::latched);
    EXPECT_NEAR(report.drift_ppm, 35.0, std::max(0.1, report.drift_error_ppm));
    EXPECT_LT(report.drift_error_ppm, 1.0);
    EXPECT_LT(off_ns(fit, reader.truth(), start_ns + 50 * s), 20'000.0);
    EXPECT_LT(report.residual_ns, 20'000.0);
    EXPECT_EQ(report.readings, 200);
    EXPECT_EQ(report.outliers, 0);
    EXPECT_EQ(report.restarts, 0);
    EXPECT_NEAR(static_cast<double>(report.offset_ns), -static_cast<double>(Truth{}.offset_ns), 3e6);
}

// Of 400 clocks, links and moments, the truth lies within the stated error but for a few in a hundred.
TEST(ClockFit, TheStatedErrorHolds) {
    std::mt19937 random(7);
    int outside = 0;
    constexpr int trials = 400;
    for (int trial = 0; trial < trials; ++trial) {
        std::uniform_real_distribution<double> drift(-80, 80), lean(0, 0.5);
        std::uniform_int_distribution<int> readings(1, 300), ahead_ms(0, 2000), width_us(1, 1000);
        const double from = lean(random);  // a link may lean to one side for good
        Reader reader({.drift_ppm = drift(random)},
                      {.shortest_ns = 200,
                       .longest_ns = 200 + 1000LL * width_us(random),
                       .lean_from = from,
                       .lean_to = from + 0.5},
                      static_cast<unsigned>(trial));
        ClockFit fit;
        const int n = readings(random);
        for (int i = 0; i < n; ++i) reader.read(fit, start_ns + i * 250 * ms);
        const std::int64_t at = start_ns + (n - 1) * 250 * ms + ahead_ms(random) * ms;
        const std::int64_t camera = reader.truth().camera_ns(at);
        outside += off_ns(fit, reader.truth(), at) > fit.error_ns(camera);
    }
    EXPECT_LT(outside, trials / 50);
}

TEST(ClockFit, TheErrorGrowsAwayFromTheReadings) {
    ClockFit fit;
    Reader reader({}, {}, 3);
    for (int i = 0; i < 40; ++i) reader.read(fit, start_ns + i * 250 * ms);
    const auto error_at = [&](std::int64_t after) {
        return fit.error_ns(reader.truth().camera_ns(start_ns + after));
    };
    EXPECT_LT(error_at(5 * s), error_at(12 * s));
    EXPECT_LT(error_at(12 * s), error_at(60 * s));
    EXPECT_LT(error_at(60 * s), error_at(600 * s));
    EXPECT_LT(error_at(5 * s), error_at(-30 * s));
}

TEST(ClockFit, TheDriftIsKnownSoonerWithNarrowReadings) {
    const auto error_after_a_second = [](std::int64_t width_ns) {
        ClockFit fit;
        Reader reader({}, {.shortest_ns = width_ns / 2, .longest_ns = width_ns}, 4);
        for (int i = 0; i < 8; ++i) reader.read(fit, start_ns + i * 100'000);
        for (int i = 1; i <= 4; ++i) reader.read(fit, start_ns + i * 250 * ms);
        EXPECT_NEAR(fit.report().drift_ppm, 35, fit.report().drift_error_ppm) << width_ns;
        return fit.report().drift_error_ppm;
    };
    EXPECT_LT(error_after_a_second(1'000), 2);
    EXPECT_LT(error_after_a_second(100'000), 150);
    EXPECT_NEAR(error_after_a_second(10 * ms), 200, 2);  // nothing but what crystals are made to
}

TEST(ClockFit, GarbageChangesNothing) {
    ClockFit clean, fit;
    Reader a({}, {}, 5), b({}, {}, 5);
    std::mt19937_64 random(6);
    for (int i = 0; i < 100; ++i) {
        const std::int64_t host = start_ns + i * 250 * ms;
        a.read(clean, host);
        b.read(fit, host);
        if (i % 5 != 3) continue;
        fit.add(host, static_cast<std::int64_t>(random()), host + 500);                // any bits
        fit.add(host, Truth{}.camera_ns(host) + (std::int64_t{1} << 32), host + 500);  // a torn register
    }
    const std::int64_t at = Truth{}.camera_ns(start_ns + 25 * s);
    EXPECT_EQ(fit.to_host_ns(at), clean.to_host_ns(at));
    EXPECT_EQ(fit.report().outliers, 40);
    EXPECT_EQ(fit.report().restarts, 0);
}

TEST(ClockFit, AWrongFirstReadingIsOverruled) {
    ClockFit fit;
    Reader reader({}, {}, 8);
    fit.add(start_ns - s, 77, start_ns - s + 500);
    for (int i = 0; i < 8; ++i) reader.read(fit, start_ns + i * 250 * ms);
    EXPECT_LT(off_ns(fit, reader.truth(), start_ns + 2 * s), 100'000);
    EXPECT_EQ(fit.report().outliers, 1);
    EXPECT_EQ(fit.report().restarts, 0);
}

TEST(ClockFit, SurvivesJumpsAndResets) {
    for (const std::int64_t jump : {5 * ms, -5 * ms, 10 * s, -900'000 * s, 100'000 * s}) {
        ClockFit fit;
        Reader reader({}, {}, 9);
        for (int i = 0; i < 40; ++i) reader.read(fit, start_ns + i * 250 * ms);
        reader.truth().offset_ns += jump;
        reader.read(fit, start_ns + 10 * s);
        EXPECT_TRUE(fit.suspect()) << jump;
        for (int i = 1; i < 3; ++i) reader.read(fit, start_ns + 10 * s + i * ms);
        EXPECT_FALSE(fit.suspect()) << jump;
        EXPECT_EQ(fit.report().restarts, 1) << jump;
        EXPECT_LT(off_ns(fit, reader.truth(), start_ns + 10 * s + 10 * ms), 100'000) << jump;
        for (int i = 1; i < 40; ++i) reader.read(fit, start_ns + 10 * s + i * 250 * ms);
        EXPECT_NEAR(fit.report().drift_ppm, 35, 3) << jump;
        EXPECT_EQ(fit.report().outliers, 0) << jump;
    }
}

TEST(ClockFit, AClockFarFromItsRateIsFollowedAllTheSame) {
    for (const double drift_ppm : {-9000.0, -2000.0, 2000.0, 9000.0}) {
        ClockFit fit;
        Reader reader({.drift_ppm = drift_ppm}, {.shortest_ns = 200, .longest_ns = 400}, 10);
        for (int i = 0; i < 40; ++i) reader.read(fit, start_ns + i * 250 * ms);
        EXPECT_NEAR(fit.report().drift_ppm, drift_ppm, 5);
        EXPECT_LT(off_ns(fit, reader.truth(), start_ns + 10 * s), 20'000) << drift_ppm;
    }
}

TEST(ClockFit, AClockThatStandsStillIsNoClock) {
    ClockFit fit;
    Reader reader({}, {}, 11);
    for (int i = 0; i < 8; ++i) reader.read(fit, start_ns + i * 250 * ms);
    const std::int64_t stopped = reader.truth().camera_ns(start_ns + 2 * s);
    for (int i = 9; i < 40; ++i) fit.add(start_ns + i * 250 * ms, stopped, start_ns + i * 250 * ms + 1000);
    EXPECT_EQ(fit.report().restarts, 0);
    EXPECT_LT(off_ns(fit, reader.truth(), start_ns + 2 * s), 100'000);
}

TEST(ClockFit, ExtremeTimesAreNoUndefinedBehaviour) {
    ClockFit fit;
    for (const std::int64_t camera : {std::numeric_limits<std::int64_t>::min(), std::int64_t{0},
                                      std::numeric_limits<std::int64_t>::max()}) {
        for (int i = 0; i < 4; ++i) fit.add(start_ns + i, camera, start_ns + i + 10);
        static_cast<void>(fit.exposure(-camera / 2, start_ns));
        static_cast<void>(fit.report());
    }
}

TEST(ClockFit, AnExposureThatCannotBeIsAGuess) {
    ClockFit fit;
    fit.set_delay(3 * ms);
    const ExposureTime unknown = fit.exposure(123, start_ns);
    EXPECT_FALSE(unknown.fitted);
    EXPECT_EQ(unknown.start_ns, start_ns - 3 * ms);
    EXPECT_EQ(unknown.error_ns, 0);

    Reader reader({}, {}, 12);
    for (int i = 0; i < 8; ++i) reader.read(fit, start_ns + i * 250 * ms);
    const std::int64_t exposed = start_ns + 2 * s;
    const ExposureTime good = fit.exposure(reader.truth().camera_ns(exposed), exposed + 4 * ms);
    EXPECT_TRUE(good.fitted);
    EXPECT_FALSE(fit.suspect());
    EXPECT_NEAR(static_cast<double>(good.start_ns - exposed), 0, good.error_ns);

    // The camera was reset: its clock counts from zero again.
    const ExposureTime reset = fit.exposure(5 * ms, exposed + 4 * ms);
    EXPECT_FALSE(reset.fitted);
    EXPECT_EQ(reset.start_ns, exposed + ms);
    EXPECT_TRUE(fit.suspect());
    // Sooner than exposure and readout take.
    EXPECT_FALSE(fit.exposure(reader.truth().camera_ns(exposed), exposed + ms).fitted);
    EXPECT_TRUE(fit.exposure(reader.truth().camera_ns(exposed), exposed + 4 * ms).fitted);
    EXPECT_FALSE(fit.suspect());
}

TEST(ClockFit, AFrameLaterThanUsualAsksForAReading) {
    ClockFit fit;
    Reader reader({}, {}, 13);
    for (int i = 0; i < 8; ++i) reader.read(fit, start_ns + i * 250 * ms);
    const auto receive = [&](int i, std::int64_t delay) {
        const std::int64_t exposed = start_ns + 2 * s + i * 10 * ms;
        return fit.exposure(reader.truth().camera_ns(exposed), exposed + delay);
    };
    for (int i = 0; i < 20; ++i) {
        EXPECT_TRUE(receive(i, 3 * ms + i * 50'000).fitted);
        EXPECT_FALSE(fit.suspect());
    }
    EXPECT_TRUE(receive(20, 30 * ms).fitted);
    EXPECT_TRUE(fit.suspect());
    reader.read(fit, start_ns + 3 * s);  // all is well: it was late
    EXPECT_FALSE(fit.suspect());
    EXPECT_TRUE(receive(21, 3 * ms).fitted);
    EXPECT_FALSE(fit.suspect());
}

// --- frames alone ---

class Frames {
  public:
    Frames(const Truth& truth, unsigned seed, double shortest_ms = 6, double mean_wait_ms = 0.5)
        : truth_(truth), random_(seed), wait_(1 / mean_wait_ms), shortest_ms_(shortest_ms) {}
    void send(ClockFit& fit, std::int64_t exposed_ns) {
        const double delay_ms = shortest_ms_ + wait_(random_);
        fit.add_frame(truth_.camera_ns(exposed_ns), exposed_ns + std::llround(1e6 * delay_ms));
    }
    Truth& truth() { return truth_; }
    void shortest_ms(double value) { shortest_ms_ = value; }

  private:
    Truth truth_;
    std::mt19937 random_;
    std::exponential_distribution<double> wait_;
    double shortest_ms_;
};

TEST(ClockFitOfFrames, FindsTheLineUnderTheDelays) {
    ClockFit fit;
    fit.set_delay(5 * ms, 2 * ms);  // exposure and readout 5 ms, transfer up to 2 ms more; in truth 1
    Frames frames({}, 1);
    for (int i = 0; i < 6000; ++i) frames.send(fit, start_ns + i * 10 * ms);
    const ClockReport report = fit.report();
    EXPECT_EQ(report.source, ClockSource::frames);
    EXPECT_NEAR(report.drift_ppm, 35, std::max(1.0, report.drift_error_ppm));
    EXPECT_EQ(report.restarts, 0);
    const std::int64_t at = start_ns + 60 * s;
    EXPECT_LT(off_ns(fit, frames.truth(), at), 50'000);
    EXPECT_GT(fit.error_ns(frames.truth().camera_ns(at)), 1e6);  // what nobody can know of the delay
    EXPECT_LT(fit.error_ns(frames.truth().camera_ns(at)), 1.2e6);
}

TEST(ClockFitOfFrames, TheStatedErrorHoldsFromTheFirstSecond) {
    std::mt19937 random(3);
    int outside = 0;
    constexpr int trials = 200;
    for (int trial = 0; trial < trials; ++trial) {
        std::uniform_real_distribution<double> drift(-80, 80), transfer(0, 2), wait(0.05, 2);
        std::uniform_int_distribution<int> count(100, 2000);
        Frames frames({.drift_ppm = drift(random)}, static_cast<unsigned>(trial), 5 + transfer(random),
                      wait(random));
        ClockFit fit;
        fit.set_delay(5 * ms, 2 * ms);
        const int n = count(random);
        for (int i = 0; i < n; ++i) frames.send(fit, start_ns + i * 10 * ms);
        const std::int64_t at = start_ns + n * 10 * ms;
        outside += off_ns(fit, frames.truth(), at) > fit.error_ns(frames.truth().camera_ns(at));
    }
    EXPECT_LT(outside, trials / 50);
}

TEST(ClockFitOfFrames, ABusyHostDoesNotMoveTheClock) {
    ClockFit fit;
    Frames frames({}, 4);
    for (int i = 0; i < 1000; ++i) frames.send(fit, start_ns + i * 10 * ms);
    const std::int64_t at = frames.truth().camera_ns(start_ns + 14 * s);
    const std::int64_t before = fit.to_host_ns(at);
    frames.shortest_ms(80);  // for four seconds every frame waits
    for (int i = 1000; i < 1400; ++i) frames.send(fit, start_ns + i * 10 * ms);
    EXPECT_NEAR(static_cast<double>(fit.to_host_ns(at) - before), 0, 0.5e6);
    EXPECT_EQ(fit.report().restarts, 0);
}

TEST(ClockFitOfFrames, SurvivesJumpsAndResets) {
    for (const std::int64_t jump : {20 * ms, -900'000 * s, 100'000 * s, -50 * ms}) {
        ClockFit fit;
        Frames frames({}, 5);
        for (int i = 0; i < 1000; ++i) frames.send(fit, start_ns + i * 10 * ms);
        frames.truth().offset_ns += jump;
        for (int i = 1000; i < 2200; ++i) frames.send(fit, start_ns + i * 10 * ms);
        EXPECT_EQ(fit.report().restarts, 1) << jump;
        EXPECT_NEAR(off_ns(fit, frames.truth(), start_ns + 22 * s), 6e6, 0.3e6) << jump;
    }
}

TEST(ClockFitOfFrames, ATimestampThatIsWrongOnceIsAnOutlier) {
    ClockFit fit;
    Frames frames({}, 6);
    for (int i = 0; i < 500; ++i) {
        frames.send(fit, start_ns + i * 10 * ms);
        if (i % 50 == 20)
            fit.add_frame(frames.truth().camera_ns(start_ns + i * 10 * ms) + s, start_ns + i * 10 * ms);
    }
    EXPECT_EQ(fit.report().outliers, 10);
    EXPECT_NEAR(off_ns(fit, frames.truth(), start_ns + 5 * s), 6e6, 0.3e6);
}

TEST(ClockFitOfFrames, CountNoMoreOnceTheClockCanBeRead) {
    ClockFit fit;
    Frames frames({}, 7);
    for (int i = 0; i < 100; ++i) frames.send(fit, start_ns + i * 10 * ms);
    Reader reader({}, {}, 7);
    reader.read(fit, start_ns + s);
    frames.send(fit, start_ns + s);
    EXPECT_EQ(fit.source(), ClockSource::latched);
    EXPECT_LT(off_ns(fit, reader.truth(), start_ns + s), 40'000);
}

TEST(ClockFit, AllocatesNothing) {
    ClockFit fit;
    Frames frames({}, 8);
    Reader reader({}, {}, 8);
    start_counting_allocations();
    for (int i = 0; i < 500; ++i) frames.send(fit, start_ns + i * 10 * ms);
    for (int i = 0; i < 500; ++i) reader.read(fit, start_ns + i * 250 * ms);
    EXPECT_EQ(stop_counting_allocations(), 0);
}

}  // namespace
}  // namespace fastpose
