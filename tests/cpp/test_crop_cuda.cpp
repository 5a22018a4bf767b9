// The crop kernels give the crops of the CPU's cropper, for each format, mode and place.
#include "preprocess/crop_cuda.h"

#include <gtest/gtest.h>

#include <random>

#include "base/error.h"

namespace fastpose {
namespace {

constexpr int width = 60, height = 44;

std::vector<std::uint8_t> picture(PixelFormat format) {
    const std::size_t lines = format == PixelFormat::nv12 ? height * 3 / 2 : height;
    std::vector<std::uint8_t> pixels(lines * row_bytes(format, width));
    std::mt19937 random(7);
    for (auto& pixel : pixels) pixel = static_cast<std::uint8_t>(random());
    if (format == PixelFormat::mono10 || format == PixelFormat::mono12)
        for (std::size_t i = 1; i < pixels.size(); i += 2)
            pixels[i] &= static_cast<std::uint8_t>(white_of(format) >> 8);
    return pixels;
}

CropSpec spec_of(PixelFormat format, CropMode mode, InputColour colour, bool antialias = true) {
    CropSpec spec;
    spec.frame.format = format;
    spec.frame.frame_width = width;
    spec.frame.frame_height = height;
    spec.frame.roi = {4, 2, 50, 40};
    spec.frame.output_width = 24;
    spec.frame.output_height = 16;
    spec.frame.colour = colour;
    spec.frame.scale = {1.0F / 58.4F, 1.0F / 57.1F, 1.0F / 57.4F};
    spec.frame.offset = {-2.12F, -2.04F, -1.8F};
    spec.mode = mode;
    spec.antialias = antialias;
    spec.margin_px = mode == CropMode::scaled ? 1.5F : 0;
    return spec;
}

// Inside, beyond each corner, larger than the area, tiny.
const std::vector<Box> boxes{{10, 8, 30, 20, 1},
                             {4, 2, 12, 40, 1},
                             {45, 30, 59, 43, 1},
                             {-30, -30, 90, 90, 1},
                             {20.3F, 11.8F, 23, 13, 1}};

struct Crops {
    std::vector<float> tensor;
    std::vector<RowParameters> parameters = std::vector<RowParameters>(boxes.size());
    std::vector<CropRectangle> rectangles = std::vector<CropRectangle>(boxes.size());
};

Crops by_kernel(const CropSpec& spec, const std::vector<std::uint8_t>& pixels) {
    const int channels = spec.frame.colour == InputColour::rgb ? 3 : 1;
    DeviceTensor input{"input", {static_cast<int>(boxes.size()), channels, 16, 24}};
    const CudaCropper cropper(spec, input);
    Crops crops;
    crops.tensor.resize(input.size());
    const auto stride = static_cast<std::ptrdiff_t>(row_bytes(spec.frame.format, width));
    for (std::size_t i = 0; i < boxes.size(); ++i)
        cropper.place(boxes[i], stride, crops.parameters[i], crops.rectangles[i]);
    crop_on_host(cropper.kernel(), cropper.arguments(pixels.data(), crops.parameters.data(),
                                                     crops.rectangles.data(), crops.tensor.data()));
    return crops;
}

void expect_same(const CropSpec& spec) {
    const auto pixels = picture(spec.frame.format);
    const Crops crops = by_kernel(spec, pixels);
    const auto stride = static_cast<std::ptrdiff_t>(row_bytes(spec.frame.format, width));
    const auto cropper = make_cropper(spec);
    cropper->begin({pixels.data(), width, height, stride, spec.frame.format});
    const std::size_t size = crops.tensor.size() / boxes.size();
    std::vector<float> wanted(size);
    for (std::size_t i = 0; i < boxes.size(); ++i) {
        const TensorToSensor map = cropper->run(boxes[i], wanted.data());
        for (std::size_t at = 0; at < size; ++at)
            ASSERT_NEAR(crops.tensor[i * size + at], wanted[at], 1e-5F)
                << name_of(spec.frame.format) << ", box " << i << ", element " << at;
        EXPECT_EQ(crops.parameters[i].scale_x, map.scale_x);
        EXPECT_EQ(crops.parameters[i].offset_y, map.offset_y);
    }
}

class CropKernels : public testing::TestWithParam<PixelFormat> {};

TEST_P(CropKernels, AreTheCropsOfTheCpu) {
    for (const auto colour : {InputColour::grey, InputColour::rgb}) {
        expect_same(spec_of(GetParam(), CropMode::centred, colour));
        for (const bool antialias : {true, false})
            expect_same(spec_of(GetParam(), CropMode::scaled, colour, antialias));
    }
}

INSTANTIATE_TEST_SUITE_P(Formats, CropKernels,
                         testing::Values(PixelFormat::mono8, PixelFormat::mono10, PixelFormat::mono12,
                                         PixelFormat::rgb8, PixelFormat::bgr8, PixelFormat::bayer_rg8,
                                         PixelFormat::bayer_gb8, PixelFormat::yuyv, PixelFormat::nv12),
                         [](const auto& tested) { return std::string(name_of(tested.param)); });

TEST(CropCuda, ARowWithoutAnAnimalReadsNothing) {
    const CropSpec spec = spec_of(PixelFormat::mono8, CropMode::centred, InputColour::grey);
    DeviceTensor input{"input", {1, 1, 16, 24}};
    const CudaCropper cropper(spec, input);
    const RowParameters parameters{};
    const CropRectangle none{0, 0, 0, 0};
    std::vector<float> tensor(input.size());
    crop_on_host(cropper.kernel(), cropper.arguments(nullptr, &parameters, &none, tensor.data()));
    EXPECT_EQ(tensor[0], spec.frame.offset[0]);  // black
}

TEST(CropCuda, RefusesWhatDoesNotFit) {
    CropSpec spec = spec_of(PixelFormat::mono8, CropMode::centred, InputColour::grey);
    EXPECT_THROW(CudaCropper(spec, {"input", {1, 3, 16, 24}}), ConfigError);
    EXPECT_THROW(CudaCropper(spec, {"input", {1, 1, 16, 25}}), ConfigError);
    spec.margin_px = -1;
    EXPECT_THROW(CudaCropper(spec, {"input", {1, 1, 16, 24}}), ConfigError);
}

}  // namespace
}  // namespace fastpose
