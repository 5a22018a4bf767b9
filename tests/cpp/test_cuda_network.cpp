// The whole graph on an emulated GPU: frames in, poses out, as the CPU's estimators give them.
#include "engine/cuda_network.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>

#include "allocation_counter.h"
#include "base/clock.h"
#include "base/error.h"
#include "cuda/emulated_calls.h"
#include "engine/cuda_backend.h"
#include "engine/kernels_host.h"
#include "says.h"

namespace fastpose {
namespace {

constexpr int width = 96, height = 64, stride = 8;

// A frame that is black but for a bright pixel.
struct Picture {
    std::vector<std::uint8_t> pixels = std::vector<std::uint8_t>(width * height);
    FrameRecord record{};
    std::vector<Keypoint> keypoints = std::vector<Keypoint>(1);

    Picture(int x, int y) { pixels[static_cast<std::size_t>(y * width + x)] = 255; }
    [[nodiscard]] FrameView view() const { return {pixels.data(), width, height, width, PixelFormat::mono8}; }
    [[nodiscard]] PoseView pose() { return {keypoints.data(), 1, 1}; }
};

// Each cell of the map is the sum of its pixels: the peak lies where the bright pixel is.
void pool(const DeviceNetwork& network) {
    const auto& in = network.input_tensor().shape;
    const auto* pixels = reinterpret_cast<const float*>(network.input());
    auto* map = static_cast<float*>(network.outputs()[0].data);
    const int columns = in[3] / stride, lines = in[2] / stride;
    std::memset(map, 0, network.outputs()[0].tensor.bytes());
    for (int n = 0; n < in[0]; ++n)
        for (int y = 0; y < in[2]; ++y)
            for (int x = 0; x < in[3]; ++x)
                map[(n * lines + y / stride) * columns + x / stride] += pixels[(n * in[2] + y) * in[3] + x];
}

struct Options {
    std::vector<Roi> rois{{0, 0, width, height}};
    bool on_host = false, stage_times = true, whole_frames = false;
};

CudaNetworkSpec spec_of(const Options& options) {
    CudaNetworkSpec spec;
    const Roi first = options.rois[0];
    const int count = static_cast<int>(options.rois.size()), columns = first.width / stride,
              lines = first.height / stride;
    for (const Roi& roi : options.rois) {
        PreprocessSpec row;
        row.frame_width = width;
        row.frame_height = height;
        row.roi = roi;
        row.output_width = roi.width;
        row.output_height = roi.height;
        spec.rows.push_back(row);
    }
    spec.input = {"input", {count, 1, first.height, first.width}};
    spec.outputs = {{"heatmap", {count, 1, lines, columns}}};
    const HeatmapDecoderSpec decode{1, lines, columns, stride, 0, ScoreActivation::none};
    if (options.on_host)
        spec.decode = HostDecodeSpec{make_heatmap_decoder(decode)};
    else
        spec.decode = decode;
    spec.bodyparts = 1;
    spec.stage_times = options.stage_times;
    spec.whole_frames = options.whole_frames;
    return spec;
}

// Made by capture, as every runtime is.
std::shared_ptr<CudaNetwork> captured(EmulatedCuda& cuda, const Options& options = {}) {
    auto made = std::make_shared<CudaNetwork>(cuda, spec_of(options));
    DeviceNetwork& network = made->network();
    network.begin_capture();
    cuda.enqueue(network.stream().handle(), [&network] {
        pool(network);
        return true;
    });
    EXPECT_TRUE(network.end_capture(true));
    made->finish();
    return made;
}

void expect_at(const Keypoint& keypoint, int x, int y) {
    EXPECT_EQ(keypoint.x, static_cast<float>(x / stride * stride + stride / 2));
    EXPECT_EQ(keypoint.y, static_cast<float>(y / stride * stride + stride / 2));
    EXPECT_NEAR(keypoint.likelihood, 1, 1e-6F);
}

TEST(CudaNetwork, FindsWhatIsInTheFrame) {
    EmulatedCuda cuda(host_kernels());
    for (const bool on_host : {false, true}) {
        const auto estimator = make_cuda_estimator(captured(cuda, {.on_host = on_host}));
        for (const auto& [x, y] : {std::pair{3, 5}, {90, 60}, {40, 33}}) {
            Picture picture(x, y);
            ASSERT_TRUE(estimator->run(picture.view(), picture.record, picture.pose()));
            expect_at(picture.keypoints[0], x, y);
        }
    }
    EXPECT_EQ(cuda.alive(), 0);  // all is given back
}

TEST(CudaNetwork, IsInstantiatedOnceAndLaunchedOncePerFrame) {
    EmulatedCuda cuda(host_kernels());
    const auto estimator = make_cuda_estimator(captured(cuda));
    const int launches = cuda.count_of("launch"), waits = cuda.count_of("synchronize");
    for (int i = 0; i < 10; ++i) {
        Picture picture(8 * i, 30);
        ASSERT_TRUE(estimator->run(picture.view(), picture.record, picture.pose()));
    }
    EXPECT_EQ(cuda.count_of("instantiate"), 1);
    EXPECT_EQ(cuda.count_of("launch"), launches + 10);
    EXPECT_EQ(cuda.count_of("synchronize"), waits + 10);
    EXPECT_EQ(cuda.count_of("update_copy"), 10);
}

TEST(CudaNetwork, StampsTheStagesInOrder) {
    EmulatedCuda cuda(host_kernels());
    const auto network = captured(cuda);
    Picture picture(10, 10);
    const std::int64_t before = now_ns();
    const FrameView view = picture.view();
    const BatchItem items[]{{&view, &picture.record, picture.pose()}};
    ASSERT_TRUE(network->run(items));
    EXPECT_LE(before, picture.record.preprocessed_ns);
    EXPECT_LE(picture.record.preprocessed_ns, picture.record.inferred_ns);
    EXPECT_LE(picture.record.inferred_ns, picture.record.decoded_ns);
    EXPECT_LE(picture.record.decoded_ns, now_ns());
    EXPECT_GT(network->last_times().network, 0);
    EXPECT_GT(network->last_times().preprocess, 0);
}

TEST(CudaNetwork, WithoutStageTimesThereAreNoEvents) {
    EmulatedCuda cuda(host_kernels());
    const auto estimator = make_cuda_estimator(captured(cuda, {.stage_times = false}));
    EXPECT_EQ(cuda.count_of("add_event"), 0);
    Picture picture(50, 20);
    ASSERT_TRUE(estimator->run(picture.view(), picture.record, picture.pose()));
    expect_at(picture.keypoints[0], 50, 20);
    EXPECT_GT(picture.record.inferred_ns, 0);
}

TEST(CudaNetwork, UploadsRegisteredFramesFromWhereTheyLie) {
    EmulatedCuda cuda(host_kernels());
    const auto network = captured(cuda, {.rois = {{16, 8, 64, 32}}});
    Picture picture(30, 20);
    auto pinned = std::make_shared<RegisteredMemory>(cuda, std::span(picture.pixels));
    network->register_memory(std::move(pinned));
    const auto estimator = make_cuda_estimator(network);
    const std::size_t before = cuda.bytes_copied();
    ASSERT_TRUE(estimator->run(picture.view(), picture.record, picture.pose()));
    expect_at(picture.keypoints[0], 30, 20);
    // The rows of the roi, its parameters and one keypoint.
    EXPECT_EQ(cuda.bytes_copied() - before, 32U * width + sizeof(RowParameters) + sizeof(Keypoint));
}

TEST(CudaNetwork, CopiesFramesOfAnyStride) {
    EmulatedCuda cuda(host_kernels());
    const auto estimator = make_cuda_estimator(captured(cuda));
    for (const std::ptrdiff_t pitch : {width + 7, width + 1000}) {
        std::vector<std::uint8_t> pixels(static_cast<std::size_t>(pitch) * height);
        pixels[static_cast<std::size_t>(21 * pitch + 70)] = 255;
        Picture picture(0, 0);
        const FrameView view{pixels.data(), width, height, pitch, PixelFormat::mono8};
        ASSERT_TRUE(estimator->run(view, picture.record, picture.pose()));
        expect_at(picture.keypoints[0], 70, 21);
        const RegisteredMemory pinned(cuda, std::span(pixels));
        ASSERT_TRUE(estimator->run(view, picture.record, picture.pose()));
        expect_at(picture.keypoints[0], 70, 21);
    }
}

TEST(CudaNetwork, ARoiThatFollowsTheAnimal) {
    EmulatedCuda cuda(host_kernels());
    const auto wide = make_cuda_estimator(captured(cuda));
    const auto narrow = make_cuda_estimator(captured(cuda, {.rois = {{0, 0, 32, 32}}}));
    const auto estimator = make_track_roi(wide, narrow, {4, 8, 0.5F});
    const int instances = cuda.count_of("instantiate");
    for (const auto& [x, y] : {std::pair{20, 20}, {26, 24}, {34, 30}, {40, 38}}) {
        Picture picture(x, y);
        ASSERT_TRUE(estimator->run(picture.view(), picture.record, picture.pose()));
        expect_at(picture.keypoints[0], x, y);
        estimator->follow(picture.pose());
        EXPECT_EQ(estimator->roi().width, 32);
    }
    EXPECT_GT(estimator->roi().x, 16);
    Picture gone(95, 0);
    static_cast<void>(estimator->run(gone.view(), gone.record, gone.pose()));
    estimator->follow(gone.pose());  // a likelihood of 0: searched as a whole again
    EXPECT_EQ(estimator->roi().width, width);
    EXPECT_EQ(cuda.count_of("instantiate"), instances);
}

TEST(CudaNetwork, SeveralCamerasAreOneBatch) {
    EmulatedCuda cuda(host_kernels());
    const auto batch = make_cuda_batch(captured(cuda, {.rois = {{0, 0, 64, 48}, {32, 16, 64, 48}}}));
    Picture first(20, 9), second(80, 50);
    const FrameView views[]{first.view(), second.view()};
    const BatchItem both[]{{&views[0], &first.record, first.pose()},
                           {&views[1], &second.record, second.pose()}};
    ASSERT_TRUE(batch->run(both));
    expect_at(first.keypoints[0], 20, 9);
    expect_at(second.keypoints[0], 80, 50);
    Picture later(40, 40);
    const FrameView view = later.view();
    const BatchItem one[]{{}, {&view, &later.record, later.pose()}};
    ASSERT_TRUE(batch->run(one));
    expect_at(later.keypoints[0], 40, 40);
    const auto row = make_batch_row(batch, 0);
    ASSERT_TRUE(row->run(views[0], first.record, first.pose()));
    expect_at(first.keypoints[0], 20, 9);
    EXPECT_EQ(row->roi().width, 64);
}

TEST(CudaNetwork, ANetworkThatRefusesCaptureIsCalled) {
    EmulatedCuda cuda(host_kernels());
    auto made = std::make_shared<CudaNetwork>(cuda, spec_of({}));
    DeviceNetwork& network = made->network();
    cuda.fail("end_capture", 901);
    network.begin_capture();
    EXPECT_FALSE(network.end_capture(false));
    EXPECT_TRUE(testing::says(network.capture_error(), {"cudaErrorStreamCaptureInvalidated"}));
    EXPECT_THROW(made->finish(), ConfigError);
    bool good = true;
    network.call_each_frame([&] {
        pool(network);
        return good;
    });
    made->finish();
    EXPECT_TRUE(testing::says(made->description(), {"two graphs"}));
    const auto estimator = make_cuda_estimator(made);
    Picture picture(77, 11);
    ASSERT_TRUE(estimator->run(picture.view(), picture.record, picture.pose()));
    expect_at(picture.keypoints[0], 77, 11);
    good = false;
    EXPECT_FALSE(estimator->run(picture.view(), picture.record, picture.pose()));
    EXPECT_TRUE(testing::says(estimator->last_error(), {"cuda:0", "refused a frame"}));
}

TEST(CudaNetwork, FailuresOfTheDeviceAreTold) {
    EmulatedCuda cuda(host_kernels());
    const auto estimator = make_cuda_estimator(captured(cuda));
    for (const char* call : {"launch", "synchronize", "update_copy", "set_device"}) {
        Picture picture(5, 5);
        picture.keypoints[0] = {1, 2, 3};
        cuda.fail(call, 719);
        EXPECT_FALSE(estimator->run(picture.view(), picture.record, picture.pose())) << call;
        EXPECT_TRUE(testing::says(estimator->last_error(), {"device cuda:0", "cudaErrorLaunchFailure"}));
        EXPECT_EQ(picture.keypoints[0].x, 1);  // not touched
        EXPECT_TRUE(estimator->run(picture.view(), picture.record, picture.pose()));
    }
    for (const char* call :
         {"instantiate", "add_copy", "add_kernel", "add_child", "create_stream", "allocate"}) {
        EmulatedCuda other(host_kernels());
        other.fail(call, 2);
        EXPECT_THROW(captured(other), DeviceError) << call;
        EXPECT_EQ(other.alive(), 0) << call;
    }
}

TEST(CudaNetwork, AllocatesNothingPerFrame) {
    EmulatedCuda cuda(host_kernels());
    const auto estimator = make_cuda_estimator(captured(cuda));
    Picture picture(33, 44);
    ASSERT_TRUE(estimator->run(picture.view(), picture.record, picture.pose()));
    start_counting_allocations();
    for (int i = 0; i < 100; ++i)
        static_cast<void>(estimator->run(picture.view(), picture.record, picture.pose()));
    EXPECT_EQ(stop_counting_allocations(), 0);
}

TEST(CudaNetwork, RefusesWhatDoesNotFit) {
    EmulatedCuda cuda(host_kernels());
    CudaNetworkSpec spec = spec_of({});
    spec.rows.push_back(spec.rows[0]);
    EXPECT_THROW(CudaNetwork(cuda, spec), ConfigError);
    spec = spec_of({});
    spec.bodyparts = 0;
    EXPECT_THROW(CudaNetwork(cuda, spec), ConfigError);
    spec = spec_of({});
    spec.device = 3;
    EXPECT_THROW(CudaNetwork(cuda, spec), DeviceError);
    EXPECT_THROW(static_cast<void>(make_cuda_estimator(captured(cuda), 1)), ConfigError);
}

// An nv12 frame has a second upload, for its chroma.
TEST(CudaNetwork, UploadsTheChromaOfTheRoi) {
    EmulatedCuda cuda(host_kernels());
    CudaNetworkSpec spec = spec_of({.rois = {{0, 0, 32, 32}}});
    spec.rows[0].format = PixelFormat::nv12;
    spec.rows[0].colour = InputColour::rgb;
    spec.input.shape[1] = 3;
    auto made = std::make_shared<CudaNetwork>(cuda, spec);
    made->network().call_each_frame([] { return true; });
    made->finish();
    made->move_roi(0, 33, 17);
    std::vector<std::uint8_t> pixels(width * height * 3 / 2);
    std::mt19937 random(1);
    for (auto& pixel : pixels) pixel = static_cast<std::uint8_t>(random());
    Picture picture(0, 0);
    const FrameView view{pixels.data(), width, height, width, PixelFormat::nv12};
    const BatchItem items[]{{&view, &picture.record, picture.pose()}};
    ASSERT_TRUE(made->run(items));
    std::vector<float> wanted(3 * 32 * 32);
    PreprocessSpec row = spec.rows[0];
    row.roi = {33, 17, 32, 32};
    make_preprocessor(row)->run(view, wanted.data());
    const auto* found = reinterpret_cast<const float*>(made->network().input());
    for (std::size_t i = 0; i < wanted.size(); ++i) ASSERT_NEAR(found[i], wanted[i], 1e-4F) << i;
}

TEST(CudaBackend, RunsTheNetworkAlone) {
    EmulatedCuda cuda(host_kernels());
    CudaBackend backend(cuda, {0, {"input", {1, 1, 16, 24}}, {{"map", {1, 1, 2, 3}}}, true, "a runtime"});
    backend.network().call_each_frame([&] {
        pool(backend.network());
        return true;
    });
    backend.finish();
    auto* input = static_cast<float*>(backend.input().data);
    std::fill_n(input, 16 * 24, 0.0F);
    input[9 * 24 + 17] = 5;
    ASSERT_TRUE(backend.run());
    EXPECT_EQ(backend.outputs()[0].data[5], 5);
    EXPECT_TRUE(testing::says(backend.description(), {"cuda:0", "a runtime"}));
    cuda.fail("launch", 719);
    EXPECT_FALSE(backend.run());
    EXPECT_THROW(CudaBackend(cuda, {0, {"input", {1, 1, 2, 2}, DeviceElement::f16}, {}, true, ""}),
                 ConfigError);
}

}  // namespace
}  // namespace fastpose
