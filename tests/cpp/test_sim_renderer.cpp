// Frames of the simulated arena: the same from the same seed, animals where the truth says, formats that
// agree.
#include "camera/sim_renderer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <tuple>

#include "camera/sim_simulation.h"

namespace fastpose {
namespace {

using Pixels = std::vector<std::uint8_t>;

Pixels render(Simulation& simulation, std::int64_t index) {
    Pixels pixels(simulation.frame_bytes());
    simulation.render(index, pixels);
    return pixels;
}

std::vector<TrueKeypoint> truth(const Simulation& simulation, std::int64_t index) {
    std::vector<TrueKeypoint> keypoints(static_cast<std::size_t>(simulation.spec().individuals) *
                                        sim::kBodyparts);
    simulation.truth(index, keypoints);
    return keypoints;
}

SimSpec small_spec() {
    SimSpec spec;
    spec.size = {320, 240};
    return spec;
}

TEST(Simulation, SeedAndIndexDecideEveryPixel) {
    SimSpec spec = small_spec();
    spec.individuals = 2;
    spec.occlusion = 0.1;
    spec.lighting.flicker = 0.2;
    Simulation one(spec), again(spec);
    const Pixels first = render(one, 17);
    static_cast<void>(render(again, 4000));  // what was rendered before does not matter
    EXPECT_EQ(render(again, 17), first);
    EXPECT_NE(render(one, 18), first);
    spec.seed = 1;
    Simulation other(spec);
    EXPECT_NE(render(other, 17), first);
}

using Look = std::tuple<const char*, const char*>;  // shape, coat
class LookTest : public testing::TestWithParam<Look> {};

// Two frames with the animal far apart: at the keypoints of one, the other shows the empty arena.
TEST_P(LookTest, KeypointsLieOnTheAnimal) {
    SimSpec spec;
    std::tie(spec.shape, spec.coat) = GetParam();
    spec.noise = 0;
    Simulation simulation(spec);
    const auto level = [&](const Pixels& pixels, const TrueKeypoint& at) {
        return pixels[static_cast<std::size_t>(std::lround(at.y)) * 640 +
                      static_cast<std::size_t>(std::lround(at.x))];
    };
    int compared = 0;
    for (std::int64_t index = 0; index < 3000; index += 100) {
        const auto here = truth(simulation, index), there = truth(simulation, index + 1500);
        if (std::hypot(here[3].x - there[3].x, here[3].y - there[3].y) < 260) continue;
        const Pixels with = render(simulation, index), without = render(simulation, index + 1500);
        const auto wall = static_cast<float>(sim::wall_px(spec));
        for (const TrueKeypoint& keypoint : here) {
            if (std::min({keypoint.x, keypoint.y, 639 - keypoint.x, 479 - keypoint.y}) < wall + 4) continue;
            EXPECT_GT(std::abs(level(with, keypoint) - level(without, keypoint)), 18) << index;
        }
        ++compared;
    }
    EXPECT_GT(compared, 3);
}

INSTANTIATE_TEST_SUITE_P(Looks, LookTest,
                         testing::Combine(testing::Values("mouse", "rat", "vole"),
                                          testing::Values("dark", "light")));

TEST(Simulation, KeypointsStayInTheFrame) {
    for (const char* shape : {"mouse", "rat", "vole"}) {
        for (std::uint64_t seed = 0; seed < 4; ++seed) {
            SimSpec spec;
            spec.shape = shape;
            spec.seed = seed;
            const Simulation simulation(spec);
            for (std::int64_t index = 0; index < 60000; index += 31) {
                for (const TrueKeypoint& keypoint : truth(simulation, index)) {
                    ASSERT_EQ(keypoint.visible, 1) << shape << ' ' << seed << ' ' << index;
                }
            }
        }
    }
}

TEST(Simulation, BarHidesTheAnimalForTheFractionOfTimeAsked) {
    SimSpec spec = small_spec();
    spec.occlusion = 0.25;
    spec.noise = 0;
    Simulation simulation(spec);
    int hidden = 0, all = 0;
    for (std::int64_t index = 0; index < 54000; index += 10, ++all) {
        hidden += truth(simulation, index)[sim::center].visible == 0;
    }
    EXPECT_NEAR(static_cast<double>(hidden) / all, 0.25, 0.05);

    const sim::Bar bar = simulation.renderer().bar();
    const Pixels one = render(simulation, 0);
    for (std::int64_t index = 100; index < 3000; index += 100) {
        const Pixels other = render(simulation, index);
        for (std::size_t y = 0; y < 240; ++y) {
            const auto row = static_cast<std::ptrdiff_t>(y * 320);
            ASSERT_TRUE(std::equal(one.begin() + row + bar.begin, one.begin() + row + bar.end,
                                   other.begin() + row + bar.begin));
        }
    }
}

TEST(Simulation, AnIndividualHidesTheOnesBelow) {
    SimSpec spec = small_spec();
    spec.individuals = 6;
    const Simulation simulation(spec);
    int hidden = 0;
    for (std::int64_t index = 0; index < 20000; index += 10) {
        const auto keypoints = truth(simulation, index);
        for (std::size_t k = 0; k < keypoints.size(); ++k) {
            hidden += keypoints[k].visible == 0;
        }
        for (std::size_t k = 5 * sim::kBodyparts; k < 6 * sim::kBodyparts; ++k) {
            ASSERT_EQ(keypoints[k].visible, 1);  // the topmost
        }
    }
    EXPECT_GT(hidden, 100);
}

TEST(Simulation, BayerIsTheMosaicOfRgb) {
    SimSpec spec = small_spec();
    spec.noise = 0;
    spec.pixel_format = PixelFormat::rgb8;
    Simulation colour(spec);
    const Pixels rgb = render(colour, 50);
    constexpr int kPattern[4][4] = {
        {0, 1, 1, 2}, {1, 0, 2, 1}, {1, 2, 0, 1}, {2, 1, 1, 0}};  // rg, gr, gb, bg
    for (int i = 0; i < 4; ++i) {
        spec.pixel_format = static_cast<PixelFormat>(static_cast<int>(PixelFormat::bayer_rg8) + i);
        Simulation mosaic(spec);
        const Pixels bayer = render(mosaic, 50);
        for (int y = 0; y < 240; ++y) {
            for (int x = 0; x < 320; ++x) {
                const int at = y * 320 + x, channel = kPattern[i][(y & 1) * 2 + (x & 1)];
                ASSERT_NEAR(bayer[static_cast<std::size_t>(at)],
                            rgb[static_cast<std::size_t>(3 * at + channel)], 1);
            }
        }
    }
}

TEST(Simulation, BgrIsRgbSwapped) {
    SimSpec spec = small_spec();
    spec.noise = 0;
    spec.pixel_format = PixelFormat::rgb8;
    Simulation rgb_simulation(spec);
    spec.pixel_format = PixelFormat::bgr8;
    Simulation bgr_simulation(spec);
    const Pixels rgb = render(rgb_simulation, 9), bgr = render(bgr_simulation, 9);
    for (std::size_t i = 0; i < rgb.size(); i += 3) {
        ASSERT_EQ(rgb[i], bgr[i + 2]);
        ASSERT_EQ(rgb[i + 1], bgr[i + 1]);
    }
}

TEST(Simulation, NoiseHasTheStandardDeviationAsked) {
    SimSpec spec = small_spec();
    spec.noise = 0;
    Simulation clean(spec);
    spec.noise = 4;
    Simulation noisy(spec);
    const Pixels without = render(clean, 3), with = render(noisy, 3), next = render(noisy, 4);
    double power = 0, shared = 0;
    for (std::size_t i = 0; i < 5000; ++i) {  // rows of wall and floor, away from saturation
        const double now = static_cast<double>(with[i]) - without[i],
                     then = static_cast<double>(next[i]) - without[i];
        power += now * now;
        shared += now * then;
    }
    EXPECT_NEAR(std::sqrt(power / 5000), 4, 0.3);
    EXPECT_NEAR(shared / power, 0, 0.1) << "the noise of two frames is the same";
}

TEST(Simulation, MotionBlurIsTheMeanOverTheExposure) {
    constexpr int kInstants = 25;
    SimSpec spec = small_spec();
    spec.noise = 0;
    spec.rate_hz = 20;
    spec.exposure_us = 50000;
    Simulation blurred(spec);
    spec.motion_blur = false;
    Simulation sharp(spec);
    spec.rate_hz = 20 * kInstants;
    spec.exposure_us = 1;
    Simulation instants(spec);
    double blurred_error = 0, sharp_error = 0;
    for (std::int64_t index = 0; index < 200; index += 20) {
        std::vector<double> mean(blurred.frame_bytes());
        for (int i = 0; i < kInstants; ++i) {
            const Pixels instant = render(instants, kInstants * index + i);
            std::transform(mean.begin(), mean.end(), instant.begin(), mean.begin(),
                           [](double sum, std::uint8_t value) { return sum + value / (1.0 * kInstants); });
        }
        const Pixels with = render(blurred, index), without = render(sharp, index);
        for (std::size_t i = 0; i < mean.size(); ++i) {
            blurred_error += std::abs(mean[i] - with[i]);
            sharp_error += std::abs(mean[i] - without[i]);
        }
    }
    EXPECT_LT(blurred_error, 0.35 * sharp_error);
}

TEST(Simulation, FlickerChangesTheLightFromFrameToFrame) {
    SimSpec spec = small_spec();
    spec.noise = 0;
    spec.rate_hz = 170;
    const auto spread = [&spec] {
        Simulation simulation(spec);
        int low = 255, high = 0;
        for (std::int64_t index = 0; index < 20; ++index) {
            const int corner = render(simulation, index)[330];
            low = std::min(low, corner);
            high = std::max(high, corner);
        }
        return high - low;
    };
    EXPECT_EQ(spread(), 0);
    spec.lighting.flicker = 0.3;
    EXPECT_GT(spread(), 10);
}

TEST(Simulation, PrerenderedFramesRepeat) {
    SimSpec spec = small_spec();
    Simulation endless(spec);
    spec.prerender_frames = 5;
    Simulation looped(spec);
    const Pixels before = render(looped, 7);
    looped.prerender();
    EXPECT_EQ(render(looped, 7), before);
    EXPECT_EQ(before, render(endless, 2));
    EXPECT_EQ(truth(looped, 7)[0].x, truth(endless, 2)[0].x);
}

TEST(Simulation, TornFramesEndWithTheFrameBefore) {
    SimSpec spec = small_spec();
    Simulation whole(spec);
    spec.faults.torn = 1;
    for (const bool prerendered : {false, true}) {
        if (prerendered) spec.prerender_frames = 50;
        Simulation torn(spec);
        torn.prerender();
        const SimFate fate = torn.fate(30);
        ASSERT_TRUE(fate.torn);
        const Pixels pixels = render(torn, 30), now = render(whole, 30), before = render(whole, 29);
        const auto cut = static_cast<std::ptrdiff_t>(fate.tear_row) * 320;
        EXPECT_TRUE(std::equal(pixels.begin(), pixels.begin() + cut, now.begin()));
        EXPECT_TRUE(std::equal(pixels.begin() + cut, pixels.end(), before.begin() + cut));
    }
}

}  // namespace
}  // namespace fastpose
