// Preprocess: instruction sets agree, nothing is read or written outside the buffers, specs are checked.
#include "preprocess/preprocess.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "base/error.h"
#include "guarded_memory.h"
#include "preprocess/preprocess_cpu.h"

namespace fastpose {
namespace {

constexpr float kTolerance = 0.02F;  // grey levels
constexpr std::array<PixelFormat, 11> kFormats{
    PixelFormat::mono8,     PixelFormat::rgb8,      PixelFormat::bgr8,      PixelFormat::bayer_rg8,
    PixelFormat::bayer_gr8, PixelFormat::bayer_gb8, PixelFormat::bayer_bg8, PixelFormat::yuyv,
    PixelFormat::nv12,      PixelFormat::mono10,    PixelFormat::mono12};

PreprocessSpec make_spec(PixelFormat format, int width, int height, Roi roi, int output_width,
                         int output_height) {
    return {.format = format,
            .frame_width = width,
            .frame_height = height,
            .roi = roi,
            .output_width = output_width,
            .output_height = output_height,
            .colour = InputColour::rgb,
            .scale = {1, 1, 1},
            .offset = {0, 0, 0},
            .tensor = {}};
}

// A frame of noise at the very end of its memory.
class GuardedFrame {
  public:
    GuardedFrame(PixelFormat format, int width, int height, unsigned seed)
        : memory_(frame_bytes(format, width, height)),
          view_{memory_.data(), width, height, static_cast<std::ptrdiff_t>(row_bytes(format, width)),
                format} {
        std::mt19937 random(seed);
        for (std::size_t i = 0; i < frame_bytes(format, width, height); ++i) {
            memory_.data()[i] = static_cast<std::uint8_t>(random());
        }
        // The upper byte of a sample of 10 or 12 bits.
        for (std::size_t i = 1; white_of(format) > 255 && i < frame_bytes(format, width, height); i += 2) {
            memory_.data()[i] &= static_cast<std::uint8_t>(white_of(format) >> 8);
        }
    }
    [[nodiscard]] const FrameView& view() const noexcept { return view_; }

  private:
    GuardedMemory memory_;
    FrameView view_;
};

std::size_t tensor_size(const PreprocessSpec& spec) {
    const std::size_t channels = spec.colour == InputColour::rgb ? 3 : 1;
    return channels * static_cast<std::size_t>(spec.output_width) *
           static_cast<std::size_t>(spec.output_height);
}

// The tensor too lies against a guard page.
std::vector<float> run(const PreprocessSpec& spec, const FrameView& frame, Isa isa) {
    const GuardedMemory memory(tensor_size(spec) * sizeof(float));
    auto* tensor = reinterpret_cast<float*>(memory.data());
    make_preprocessor(spec, isa)->run(frame, tensor);
    return {tensor, tensor + tensor_size(spec)};
}

void expect_twins_agree(const PreprocessSpec& spec, unsigned seed) {
    const GuardedFrame frame(spec.format, spec.frame_width, spec.frame_height, seed);
    const std::vector<float> expected = run(spec, frame.view(), Isa::scalar);
    for (int isa = 1; isa <= static_cast<int>(best_isa()); ++isa) {
        const std::vector<float> actual = run(spec, frame.view(), static_cast<Isa>(isa));
        for (std::size_t i = 0; i < expected.size(); ++i) {
            ASSERT_NEAR(actual[i], expected[i], kTolerance)
                << name_of(spec.format) << " " << spec.frame_width << "x" << spec.frame_height << " to "
                << spec.output_width << "x" << spec.output_height << ", " << name_of(static_cast<Isa>(isa))
                << ", at " << i;
        }
    }
}

TEST(Preprocess, TwinsAgreeAndStayInsideTheFrame) {
    unsigned seed = 0;
    for (const PixelFormat format : kFormats) {
        for (const int width : {2, 4, 6, 16, 18, 34, 66, 130}) {
            for (const int height : {2, 4, 30}) {
                const Roi all{0, 0, width, height},
                    corner{width / 2, height / 2, width - width / 2, height - height / 2};
                for (const Roi roi : {all, corner}) {
                    expect_twins_agree(make_spec(format, width, height, roi, roi.width, roi.height), ++seed);
                    expect_twins_agree(make_spec(format, width, height, roi, 2 * roi.width + 1, roi.height),
                                       ++seed);
                    expect_twins_agree(
                        make_spec(format, width, height, roi, (roi.width + 2) / 3, (roi.height + 1) / 2),
                        ++seed);
                }
            }
        }
    }
}

// To every corner and to odd places, at the end of guarded memory.
TEST(Preprocess, AMovedRoiEqualsAPlannedOneAndStaysInsideTheFrame) {
    constexpr int width = 66, height = 40;
    for (const PixelFormat format : kFormats) {
        const GuardedFrame frame(format, width, height, 7);
        const PreprocessSpec first = make_spec(format, width, height, {0, 0, 17, 15}, 40, 32);
        const auto moving = make_preprocessor(first);
        for (const Roi corner : {Roi{width - 17, height - 15}, {1, 3}, {0, height - 15}, {width, -1}}) {
            moving->move_roi(corner.x, corner.y);
            PreprocessSpec planned = first;
            planned.roi = moving->roi();
            std::vector<float> tensor(tensor_size(first));
            moving->run(frame.view(), tensor.data());
            EXPECT_EQ(tensor, run(planned, frame.view(), best_isa())) << name_of(format);
        }
        EXPECT_EQ(moving->roi().x, width - 17);
        EXPECT_EQ(moving->roi().y, 0);
    }
}

TEST(Preprocess, WhatLiesBeyondTheImage) {
    const std::vector<std::uint8_t> pixels{1, 2, 3, 4, 5, 6};  // 3 x 2
    PreprocessSpec spec = make_spec(PixelFormat::mono8, 3, 2, {0, 0, 3, 2}, 5, 3);
    spec.colour = InputColour::grey;
    spec.image_width = 3;
    spec.image_height = 2;
    const auto tensor_of = [&](Beyond beyond) {
        spec.beyond = beyond;
        std::vector<float> tensor(15, -1);
        make_preprocessor(spec)->run({pixels.data(), 3, 2, 3, PixelFormat::mono8}, tensor.data());
        return tensor;
    };
    EXPECT_EQ(tensor_of(Beyond::mirror), (std::vector<float>{1, 2, 3, 2, 1, 4, 5, 6, 5, 4, 1, 2, 3, 2, 1}));
    EXPECT_EQ(tensor_of(Beyond::zero), (std::vector<float>{1, 2, 3, 0, 0, 4, 5, 6, 0, 0, 0, 0, 0, 0, 0}));
    spec.output_width = 6;
    spec.beyond = Beyond::mirror;
    EXPECT_THROW(static_cast<void>(make_preprocessor(spec)), ConfigError);
}

TEST(Preprocess, OriginOfAResize) {
    PreprocessSpec spec = make_spec(PixelFormat::mono8, 20, 20, {4, 6, 10, 10}, 5, 20);
    EXPECT_FLOAT_EQ(make_preprocessor(spec)->tensor_to_sensor().offset_x, 4.5F);
    EXPECT_FLOAT_EQ(make_preprocessor(spec)->tensor_to_sensor().offset_y, 5.75F);
    spec.origin = Origin::corner;
    EXPECT_FLOAT_EQ(make_preprocessor(spec)->tensor_to_sensor().offset_x, 4);
    EXPECT_FLOAT_EQ(make_preprocessor(spec)->tensor_to_sensor().offset_y, 6);
}

TEST(Preprocess, SinglePixelFrames) {
    for (const PixelFormat format : {PixelFormat::mono8, PixelFormat::rgb8, PixelFormat::bgr8}) {
        expect_twins_agree(make_spec(format, 1, 1, {0, 0, 1, 1}, 1, 1), 1);
        expect_twins_agree(make_spec(format, 1, 1, {0, 0, 1, 1}, 20, 3), 2);
        expect_twins_agree(make_spec(format, 1, 9, {0, 0, 1, 9}, 5, 4), 3);
    }
}

TEST(Preprocess, GreyFromColourIsLuma) {
    PreprocessSpec spec = make_spec(PixelFormat::bgr8, 2, 1, {0, 0, 2, 1}, 2, 1);
    spec.colour = InputColour::grey;
    const std::array<std::uint8_t, 6> pixels{10, 20, 30, 255, 0, 0};  // B, G, R
    const FrameView frame{pixels.data(), 2, 1, 6, PixelFormat::bgr8};
    for (int isa = 0; isa <= static_cast<int>(best_isa()); ++isa) {
        const std::vector<float> tensor = run(spec, frame, static_cast<Isa>(isa));
        EXPECT_NEAR(tensor[0], 0.114 * 10 + 0.587 * 20 + 0.299 * 30, 1e-3);
        EXPECT_NEAR(tensor[1], 0.114 * 255, 1e-3);
    }
}

TEST(Preprocess, TensorToSensorHoldsTheHalfPixelTerm) {
    const auto spec = make_spec(PixelFormat::mono8, 640, 480, {100, 40, 400, 300}, 100, 100);
    const TensorToSensor map = make_preprocessor(spec)->tensor_to_sensor();
    EXPECT_FLOAT_EQ(map.scale_x, 4);
    EXPECT_FLOAT_EQ(map.scale_y, 3);
    EXPECT_FLOAT_EQ(map.offset_x, 101.5F);  // tensor pixel 0 covers sensor pixels 100..103
    EXPECT_FLOAT_EQ(map.offset_y, 41);      // and rows 40..42
}

TEST(Preprocess, RefusesARoiOutsideTheFrame) {
    for (const Roi roi :
         {Roi{-1, 0, 8, 8}, Roi{0, 0, 65, 8}, Roi{60, 0, 5, 8}, Roi{0, 0, 8, 0}, Roi{2147483647, 0, 8, 8}}) {
        const auto spec = make_spec(PixelFormat::mono8, 64, 48, roi, 8, 8);
        EXPECT_THROW(static_cast<void>(make_preprocessor(spec)), ConfigError) << roi.x << " " << roi.width;
    }
}

TEST(Preprocess, RefusesSizesThatAFormatCannotHave) {
    const auto refused = [](PixelFormat format, int width, int height) {
        const auto spec = make_spec(format, width, height, {0, 0, 1, 1}, 8, 8);
        EXPECT_THROW(static_cast<void>(make_preprocessor(spec)), ConfigError) << name_of(format);
    };
    refused(PixelFormat::yuyv, 63, 48);
    refused(PixelFormat::nv12, 63, 48);
    refused(PixelFormat::nv12, 64, 47);
    refused(PixelFormat::bayer_rg8, 1, 48);
    refused(PixelFormat::mono8, 0, 48);
}

}  // namespace
}  // namespace fastpose
