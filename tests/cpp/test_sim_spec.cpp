// What the simulated camera refuses, and how it says so.
#include "camera/sim_spec.h"

#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <string>

#include "base/error.h"

namespace fastpose {
namespace {

struct Refusal {
    const char* said;  // part of the message
    std::function<void(SimSpec&)> change;
};

class RefusalTest : public testing::TestWithParam<Refusal> {};

TEST_P(RefusalTest, NamesFieldValueAndWhatIsAllowed) {
    SimSpec spec;
    GetParam().change(spec);
    try {
        spec.validate();
        FAIL() << "accepted";
    } catch (const ConfigError& error) {
        EXPECT_NE(std::string(error.what()).find(GetParam().said), std::string::npos) << error.what();
        EXPECT_NE(std::string(error.what()).find("allowed"), std::string::npos) << error.what();
    }
}

INSTANTIATE_TEST_SUITE_P(
    Fields, RefusalTest,
    testing::Values(
        Refusal{"shape is 'cat', allowed are mouse, rat, vole", [](SimSpec& s) { s.shape = "cat"; }},
        Refusal{"coat is 'red'", [](SimSpec& s) { s.coat = "red"; }},
        Refusal{"size[0] is 10", [](SimSpec& s) { s.size[0] = 10; }},
        Refusal{"size[1] is 9000", [](SimSpec& s) { s.size[1] = 9000; }},
        Refusal{"rate_hz is 0", [](SimSpec& s) { s.rate_hz = 0; }},
        Refusal{"rate_hz is nan", [](SimSpec& s) { s.rate_hz = std::numeric_limits<double>::quiet_NaN(); }},
        Refusal{"exposure_us is 20000, allowed is 1 to 10000", [](SimSpec& s) { s.exposure_us = 20000; }},
        Refusal{"size is 641 x 480, allowed for yuyv is an even width",
                [](SimSpec& s) {
                    s.pixel_format = PixelFormat::yuyv;
                    s.size = {641, 480};
                }},
        Refusal{"size is 640 x 481, allowed for nv12 is an even width and height",
                [](SimSpec& s) {
                    s.pixel_format = PixelFormat::nv12;
                    s.size = {640, 481};
                }},
        Refusal{"individuals is 0", [](SimSpec& s) { s.individuals = 0; }},
        Refusal{"body_length_px is 400", [](SimSpec& s) { s.body_length_px = 400; }},
        Refusal{"noise is -1", [](SimSpec& s) { s.noise = -1; }},
        Refusal{"occlusion is 1", [](SimSpec& s) { s.occlusion = 1; }},
        Refusal{"lighting.brightness is 2", [](SimSpec& s) { s.lighting.brightness = 2; }},
        Refusal{"faults.drop is 1.5", [](SimSpec& s) { s.faults.drop = 1.5; }},
        Refusal{"faults.late_ms is -1", [](SimSpec& s) { s.faults.late_ms = -1; }},
        Refusal{"frames_total is 0", [](SimSpec& s) { s.frames_total = 0; }},
        Refusal{"prerender_frames is 0", [](SimSpec& s) { s.prerender_frames = 0; }},
        Refusal{"memory of prerender_frames", [](SimSpec& s) { s.prerender_frames = 90000; }}));

TEST(SimSpec, DefaultsAreAllowed) { EXPECT_NO_THROW(SimSpec{}.validate()); }

TEST(SimSpec, BodyScalesWithTheFrame) {
    SimSpec spec;
    EXPECT_DOUBLE_EQ(spec.resolved_body_length_px(), 118);
    spec.size = {1280, 1024};
    EXPECT_DOUBLE_EQ(spec.resolved_body_length_px(), 236);
    spec.body_length_px = 50;
    EXPECT_DOUBLE_EQ(spec.resolved_body_length_px(), 50);
}

TEST(SimSpec, RatsAreLightUnlessAskedOtherwise) {
    SimSpec spec;
    EXPECT_FALSE(spec.light_coat());
    spec.shape = "rat";
    EXPECT_TRUE(spec.light_coat());
    spec.coat = "dark";
    EXPECT_FALSE(spec.light_coat());
}

}  // namespace
}  // namespace fastpose
