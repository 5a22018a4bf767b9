// Tensors in other elements and layouts hold the float32 planes, rounded and reordered, for every instruction
// set and width; nothing is written outside.
#include "preprocess/tensor_writer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

#include "base/error.h"
#include "guarded_memory.h"
#include "preprocess/preprocess_cpu.h"

namespace fastpose {
namespace {

constexpr std::array<TensorFormat, 4> kFormats{
    TensorFormat{ElementType::f32, TensorLayout::nchw}, TensorFormat{ElementType::f32, TensorLayout::nhwc},
    TensorFormat{ElementType::u8, TensorLayout::nchw}, TensorFormat{ElementType::u8, TensorLayout::nhwc}};

std::size_t elements(const PreprocessSpec& spec) {
    const std::size_t channels = spec.colour == InputColour::rgb ? 3 : 1;
    return channels * static_cast<std::size_t>(spec.output_width) *
           static_cast<std::size_t>(spec.output_height);
}

PreprocessSpec spec_of(InputColour colour, int width, int output_width) {
    return {.format = PixelFormat::bgr8,
            .frame_width = width,
            .frame_height = 9,
            .roi = {0, 0, width, 9},
            .output_width = output_width + 3,
            .output_height = 8,
            .image_width = output_width,
            .image_height = 7,
            .colour = colour,
            .scale = {1.3F, 0.7F, 1},
            .offset = {-20, 3, 0},
            .tensor = {}};
}

// As float32 planes, whatever the format; the tensor lies at the end of its memory.
std::vector<float> planes_of(PreprocessSpec spec, const FrameView& frame, TensorFormat format, Isa isa) {
    spec.tensor = format;
    const std::size_t count = elements(spec);
    const std::size_t plane = static_cast<std::size_t>(spec.output_width) * spec.output_height;
    const GuardedMemory memory(count * format.element_bytes());
    make_preprocessor(spec, isa)->run(frame, memory.data());
    std::vector<float> planes(count);
    for (std::size_t i = 0; i < count; ++i) {
        const std::size_t channels = count / plane;
        const std::size_t at = format.layout == TensorLayout::nhwc ? i % plane * channels + i / plane : i;
        planes[i] = format.element == ElementType::u8 ? static_cast<float>(memory.data()[at])
                                                      : reinterpret_cast<const float*>(memory.data())[at];
    }
    return planes;
}

void expect_formats_agree(const PreprocessSpec& spec, unsigned seed) {
    std::mt19937 random(seed);
    std::vector<std::uint8_t> pixels(frame_bytes(spec.format, spec.frame_width, spec.frame_height));
    for (auto& pixel : pixels) pixel = static_cast<std::uint8_t>(random());
    const FrameView frame{pixels.data(), spec.frame_width, spec.frame_height, 3 * spec.frame_width,
                          spec.format};
    for (int isa = 0; isa <= static_cast<int>(best_isa()); ++isa) {
        std::vector<float> expected = planes_of(spec, frame, {}, static_cast<Isa>(isa));
        for (const TensorFormat format : kFormats) {
            const bool bytes = format.element == ElementType::u8;
            const std::vector<float> actual = planes_of(spec, frame, format, static_cast<Isa>(isa));
            for (std::size_t i = 0; i < expected.size(); ++i) {
                const float value =
                    bytes ? std::nearbyint(std::clamp(expected[i], 0.0F, 255.0F)) : expected[i];
                ASSERT_EQ(actual[i], value) << text_of(format) << " " << name_of(static_cast<Isa>(isa)) << " "
                                            << spec.output_width << " at " << i;
            }
        }
    }
}

TEST(TensorWriter, EveryFormatHoldsTheSameValues) {
    unsigned seed = 0;
    for (const InputColour colour : {InputColour::grey, InputColour::rgb})
        for (const Beyond beyond : {Beyond::mirror, Beyond::zero})
            for (const int width : {5, 8, 10, 16, 17, 33, 64, 75}) {
                PreprocessSpec spec = spec_of(colour, 2 * width, width);
                spec.beyond = beyond;
                expect_formats_agree(spec, ++seed);
                spec = spec_of(colour, width, width);
                spec.beyond = beyond;
                expect_formats_agree(spec, ++seed);
            }
}

TEST(TensorWriter, BytesAreRoundedHalfToEvenAndClamped) {
    constexpr std::size_t count = 41;
    std::vector<float> values(count);
    for (std::size_t i = 0; i < count; ++i) values[i] = 0.5F * static_cast<float>(i);
    values[3] = -1e9F;
    values[4] = 1e9F;
    for (int isa = 0; isa <= static_cast<int>(best_isa()); ++isa) {
        std::vector<std::uint8_t> bytes(count);
        tensor_kernels_for(static_cast<Isa>(isa)).quantise(values.data(), count, bytes.data());
        EXPECT_EQ(bytes[1], 0);
        EXPECT_EQ(bytes[3], 0);
        EXPECT_EQ(bytes[4], 255);
        EXPECT_EQ(bytes[5], 2);
        EXPECT_EQ(bytes[7], 4);
        EXPECT_EQ(bytes[40], 20);
    }
}

TEST(TensorFormat, Names) {
    EXPECT_EQ(tensor_format_from("u8", "nhwc"), (TensorFormat{ElementType::u8, TensorLayout::nhwc}));
    EXPECT_EQ(text_of({}), "f32 nchw");
    EXPECT_THROW(static_cast<void>(tensor_format_from("f16", "nchw")), ConfigError);
    EXPECT_THROW(static_cast<void>(tensor_format_from("u8", "chwn")), ConfigError);
}

}  // namespace
}  // namespace fastpose
