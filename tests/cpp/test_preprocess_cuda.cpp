// The kernels' pixels are those of the CPU preprocessor: all formats, rois, sizes, elements and layouts.
#include "preprocess/preprocess_cuda.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "base/error.h"
#include "cuda/emulated_calls.h"
#include "engine/kernels_host.h"
#include "preprocess/preprocess_cpu.h"

namespace fastpose {
namespace {

constexpr int width = 64, height = 48;

std::vector<std::uint8_t> noise(PixelFormat format) {
    std::vector<std::uint8_t> pixels(frame_bytes(format, width, height));
    std::mt19937 random(7);
    for (auto& pixel : pixels) pixel = static_cast<std::uint8_t>(random());
    if (white_of(format) > 255)
        for (std::size_t i = 1; i < pixels.size(); i += 2)
            pixels[i] &= static_cast<std::uint8_t>(white_of(format) >> 8);
    return pixels;
}

struct Case {
    PreprocessSpec spec;
    DeviceElement element = DeviceElement::f32;
};

DeviceTensor tensor_of(const Case& c) {
    const int channels = c.spec.colour == InputColour::rgb ? 3 : 1;
    return {
        "input", {1, channels, c.spec.output_height, c.spec.output_width}, c.element, c.spec.tensor.layout};
}

// What the kernel writes, without the bytes of the frame that it says it does not need.
std::vector<float> by_kernel(const Case& c, const std::vector<std::uint8_t>& pixels, int x = -1, int y = -1) {
    EmulatedCuda cuda(host_kernels());
    const DeviceTensor tensor = tensor_of(c);
    CudaPreprocess preprocess(cuda, c.spec, tensor);
    if (x >= 0) preprocess.move_roi(x, y);
    const auto stride = static_cast<std::ptrdiff_t>(row_bytes(c.spec.format, width));
    std::vector<std::uint8_t> uploaded(pixels.size(), 0x5a);
    const FrameParts parts = preprocess.needed(stride);
    for (const FramePart& part : {parts.pixels, parts.chroma})
        std::copy_n(pixels.begin() + static_cast<std::ptrdiff_t>(part.first), part.bytes,
                    uploaded.begin() + static_cast<std::ptrdiff_t>(part.first));
    const RowParameters parameters = preprocess.parameters(stride);
    std::vector<std::uint8_t> out(tensor.bytes());
    preprocess_on_host(preprocess.kernel(), preprocess.arguments(uploaded.data(), &parameters, out.data()));
    std::vector<float> values;
    for (std::size_t i = 0; i < tensor.size(); ++i) {
        if (c.element == DeviceElement::f32) values.push_back(reinterpret_cast<const float*>(out.data())[i]);
        if (c.element == DeviceElement::f16)
            values.push_back(float_from(reinterpret_cast<const Half*>(out.data())[i]));
        if (c.element == DeviceElement::u8) values.push_back(out[i]);
    }
    return values;
}

std::vector<float> by_cpu(Case c, const std::vector<std::uint8_t>& pixels, int x = -1, int y = -1) {
    const bool bytes = c.element == DeviceElement::u8;
    c.spec.tensor.element = bytes ? ElementType::u8 : ElementType::f32;
    const auto preprocess = make_preprocessor(c.spec, Isa::scalar);
    if (x >= 0) preprocess->move_roi(x, y);
    std::vector<std::uint8_t> out(tensor_of(c).size() * c.spec.tensor.element_bytes());
    const auto stride = static_cast<std::ptrdiff_t>(row_bytes(c.spec.format, width));
    preprocess->run({pixels.data(), width, height, stride, c.spec.format}, out.data());
    std::vector<float> values;
    for (std::size_t i = 0; i < tensor_of(c).size(); ++i)
        values.push_back(bytes ? out[i] : reinterpret_cast<const float*>(out.data())[i]);
    return values;
}

constexpr PixelFormat formats[] = {PixelFormat::mono8,     PixelFormat::rgb8,      PixelFormat::bgr8,
                                   PixelFormat::bayer_rg8, PixelFormat::bayer_gr8, PixelFormat::bayer_gb8,
                                   PixelFormat::bayer_bg8, PixelFormat::yuyv,      PixelFormat::nv12,
                                   PixelFormat::mono10,    PixelFormat::mono12};

Case case_of(PixelFormat format, InputColour colour, Roi roi, int out_width, int out_height) {
    Case c;
    c.spec.format = format;
    c.spec.frame_width = width;
    c.spec.frame_height = height;
    c.spec.roi = roi;
    c.spec.output_width = out_width;
    c.spec.output_height = out_height;
    c.spec.colour = colour;
    c.spec.scale = {0.017F, 0.0175F, 0.0174F};
    c.spec.offset = {-2.1F, -2.0F, -1.8F};
    return c;
}

void expect_near(const std::vector<float>& found, const std::vector<float>& wanted, float tolerance,
                 const char* what) {
    ASSERT_EQ(found.size(), wanted.size());
    for (std::size_t i = 0; i < found.size(); ++i)
        ASSERT_NEAR(found[i], wanted[i], tolerance) << what << " at " << i;
}

class PreprocessKernels : public testing::TestWithParam<PixelFormat> {};

TEST_P(PreprocessKernels, EqualTheCpuInAllRoisAndSizes) {
    const auto pixels = noise(GetParam());
    for (const InputColour colour : {InputColour::grey, InputColour::rgb})
        for (const Roi roi : {Roi{0, 0, width, height}, Roi{7, 5, 33, 21}, Roi{1, 1, 63, 47}})
            for (const auto& [w, h] : {std::pair{roi.width, roi.height}, {40, 30}, {17, 50}, {1, 1}}) {
                const Case c = case_of(GetParam(), colour, roi, w, h);
                expect_near(by_kernel(c, pixels), by_cpu(c, pixels), 1e-5F, name_of(GetParam()).data());
            }
}

TEST_P(PreprocessKernels, FollowTheRoi) {
    const auto pixels = noise(GetParam());
    const Case c = case_of(GetParam(), InputColour::rgb, {0, 0, 24, 20}, 24, 20);
    for (const auto& [x, y] : {std::pair{0, 0}, {13, 9}, {40, 28}, {1000, 1000}})
        expect_near(by_kernel(c, pixels, x, y), by_cpu(c, pixels, x, y), 1e-5F, "moved");
}

TEST_P(PreprocessKernels, WriteEveryElementAndLayout) {
    const auto pixels = noise(GetParam());
    Case c = case_of(GetParam(), InputColour::rgb, {3, 2, 50, 40}, 32, 24);
    for (const TensorLayout layout : {TensorLayout::nchw, TensorLayout::nhwc}) {
        c.spec.tensor.layout = layout;
        c.element = DeviceElement::f32;
        const auto exact = by_cpu(c, pixels);
        expect_near(by_kernel(c, pixels), exact, 1e-5F, "f32");
        c.element = DeviceElement::f16;
        expect_near(by_kernel(c, pixels), exact, 2e-3F, "f16");  // half of 2^-10 of values below 4
        c.element = DeviceElement::u8;
        c.spec.scale = {1, 1, 1};
        c.spec.offset = {-20, 0, 20};
        expect_near(by_kernel(c, pixels), by_cpu(c, pixels), 0, "u8");
        c.spec.scale = {0.017F, 0.0175F, 0.0174F};
        c.spec.offset = {-2.1F, -2.0F, -1.8F};
    }
}

TEST_P(PreprocessKernels, FillWhatLiesBeyondTheImage) {
    const auto pixels = noise(GetParam());
    Case c = case_of(GetParam(), InputColour::rgb, {2, 2, 40, 30}, 36, 28);
    c.spec.image_width = 31;
    c.spec.image_height = 22;
    expect_near(by_kernel(c, pixels), by_cpu(c, pixels), 1e-5F, "mirror");
    c.spec.beyond = Beyond::zero;
    expect_near(by_kernel(c, pixels), by_cpu(c, pixels), 1e-5F, "zero");
}

INSTANTIATE_TEST_SUITE_P(Formats, PreprocessKernels, testing::ValuesIn(formats),
                         [](const auto& info) { return std::string(name_of(info.param)); });

// The widest instruction set rounds its weights to 2^-15: 255 * 2^-15 * 2 grey levels at most.
TEST(PreprocessCuda, IsWithinTheRoundingOfTheVectorTwins) {
    const auto pixels = noise(PixelFormat::mono8);
    const Case c = case_of(PixelFormat::mono8, InputColour::grey, {5, 4, 51, 40}, 37, 29);
    std::vector<float> fast(static_cast<std::size_t>(37 * 29));
    make_preprocessor(c.spec)->run({pixels.data(), width, height, width, PixelFormat::mono8}, fast.data());
    expect_near(by_kernel(c, pixels), fast, 0.017F * 255 * 2 / 32768, "vector");
}

TEST(PreprocessCuda, SaysWhereTheTensorLies) {
    EmulatedCuda cuda(host_kernels());
    const Case c = case_of(PixelFormat::mono8, InputColour::grey, {8, 4, 32, 24}, 16, 12);
    CudaPreprocess kernel(cuda, c.spec, tensor_of(c));
    const auto cpu = make_preprocessor(c.spec);
    kernel.move_roi(20, 9);
    cpu->move_roi(20, 9);
    const RowParameters parameters = kernel.parameters(width);
    EXPECT_EQ(parameters.scale_x, cpu->tensor_to_sensor().scale_x);
    EXPECT_EQ(parameters.offset_x, cpu->tensor_to_sensor().offset_x);
    EXPECT_EQ(parameters.offset_y, cpu->tensor_to_sensor().offset_y);
    EXPECT_EQ(parameters.roi_x, 20);
}

TEST(PreprocessCuda, UploadsNoMoreThanTheRoiNeeds) {
    EmulatedCuda cuda(host_kernels());
    Case c = case_of(PixelFormat::mono8, InputColour::grey, {8, 10, 16, 12}, 16, 12);
    EXPECT_EQ(CudaPreprocess(cuda, c.spec, tensor_of(c)).needed(width).pixels.bytes, 12U * width);
    c.spec.format = PixelFormat::bayer_rg8;
    EXPECT_EQ(CudaPreprocess(cuda, c.spec, tensor_of(c)).needed(width).pixels.bytes, 14U * width);
    EXPECT_EQ(CudaPreprocess(cuda, c.spec, tensor_of(c)).needed(width).chroma.bytes, 0U);
}

TEST(PreprocessCuda, RefusesAnotherTensor) {
    EmulatedCuda cuda(host_kernels());
    const Case c = case_of(PixelFormat::mono8, InputColour::grey, {0, 0, 16, 12}, 16, 12);
    DeviceTensor tensor = tensor_of(c);
    tensor.shape[1] = 3;
    EXPECT_THROW(CudaPreprocess(cuda, c.spec, tensor), ConfigError);
    PreprocessSpec outside = c.spec;
    outside.roi.x = 60;
    EXPECT_THROW(CudaPreprocess(cuda, outside, tensor_of(c)), ConfigError);
}

}  // namespace
}  // namespace fastpose
