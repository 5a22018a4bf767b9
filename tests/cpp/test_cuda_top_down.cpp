// A detector's graph and the graph of the crops on an emulated GPU: the animals of the CPU's estimator.
#include "engine/cuda_top_down.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "allocation_counter.h"
#include "base/error.h"
#include "cuda/emulated_calls.h"
#include "engine/kernels_host.h"
#include "says.h"

namespace fastpose {
namespace {

constexpr int width = 96, height = 64, side = 16, animals = 3, cell = 4;

// Bright pixels on black: each is an animal, and its one body part.
struct Picture {
    std::vector<std::uint8_t> pixels = std::vector<std::uint8_t>(width * height);
    FrameRecord record{};
    std::vector<Keypoint> keypoints = std::vector<Keypoint>(animals);

    explicit Picture(const std::vector<std::pair<int, int>>& places) {
        std::uint8_t level = 255;
        for (const auto& [x, y] : places)
            pixels[static_cast<std::size_t>(y * width + x)] = level, level -= 40;
    }
    [[nodiscard]] FrameView view() const { return {pixels.data(), width, height, width, PixelFormat::mono8}; }
    [[nodiscard]] PoseView pose() { return {keypoints.data(), animals, 1}; }
};

// Cells of the map are the sums of `stride` x `stride` pixels.
void pool(const DeviceNetwork& network, int stride) {
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

PreprocessSpec frame_spec(int output_width, int output_height) {
    PreprocessSpec spec;
    spec.frame_width = width;
    spec.frame_height = height;
    spec.roi = {0, 0, width, height};
    spec.output_width = output_width;
    spec.output_height = output_height;
    return spec;
}

struct Networks {
    std::shared_ptr<BoxFinder> finder;
    std::shared_ptr<CudaNetwork> detector;
    std::shared_ptr<CudaCrops> crops;
};

CudaCropsSpec crops_spec() {
    CudaCropsSpec spec;
    spec.crop.frame = frame_spec(side, side);
    spec.crop.mode = CropMode::centred;
    spec.input = {"crops", {animals, 1, side, side}};
    spec.outputs = {{"heatmap", {animals, 1, side, side}}};
    spec.decode = HeatmapDecoderSpec{1, side, side, 1, 0, ScoreActivation::none};
    spec.bodyparts = 1;
    return spec;
}

Networks networks(EmulatedCuda& cuda) {
    Networks made;
    const CentroidDecoderSpec centroids{height / cell, width / cell, cell, 0.1F, 1};
    made.finder = std::make_shared<BoxFinder>(make_centroid_decoder(centroids), animals);
    CudaNetworkSpec spec;
    spec.rows = {frame_spec(width, height)};
    spec.input = {"frame", {1, 1, height, width}};
    spec.outputs = {{"centroids", {1, 1, height / cell, width / cell}}};
    spec.decode.emplace<HostDecodeSpec>().decoder = made.finder;
    spec.bodyparts = 1;
    made.detector = std::make_shared<CudaNetwork>(cuda, spec);
    made.detector->network().call_each_frame([network = &made.detector->network()] {
        pool(*network, cell);
        return true;
    });
    made.detector->finish();
    made.crops = std::make_shared<CudaCrops>(cuda, crops_spec(), made.detector);
    DeviceNetwork& network = made.crops->network();
    network.begin_capture();
    cuda.enqueue(network.stream().handle(), [&network] {
        pool(network, 1);
        return true;
    });
    EXPECT_TRUE(network.end_capture(true));
    made.crops->finish();
    return made;
}

std::shared_ptr<Estimator> estimator_of(const Networks& made) {
    return make_cuda_top_down(made.detector, made.finder, made.crops);
}

TEST(CudaTopDown, FindsEachAnimalBestFirst) {
    EmulatedCuda cuda(host_kernels());
    {
        const auto estimator = estimator_of(networks(cuda));
        for (const auto& places : std::vector<std::vector<std::pair<int, int>>>{
                 {{20, 20}, {70, 40}, {50, 10}}, {{1, 2}, {94, 62}}, {{33, 47}}}) {
            Picture picture(places);
            ASSERT_TRUE(estimator->run(picture.view(), picture.record, picture.pose()));
            for (std::size_t i = 0; i < places.size(); ++i) {
                // A centre of a cell of 1 px, seen from the crop's corner.
                EXPECT_NEAR(picture.keypoints[i].x, places[i].first, 1) << i;
                EXPECT_NEAR(picture.keypoints[i].y, places[i].second, 1) << i;
            }
            for (std::size_t i = places.size(); i < animals; ++i)
                EXPECT_TRUE(std::isnan(picture.keypoints[i].x)) << i;
            EXPECT_LE(picture.record.preprocessed_ns, picture.record.inferred_ns);
            EXPECT_LE(picture.record.inferred_ns, picture.record.decoded_ns);
        }
    }
    EXPECT_EQ(cuda.alive(), 0);
}

TEST(CudaTopDown, TheCropsAreOneLaunchAndTheFrameOneUpload) {
    EmulatedCuda cuda(host_kernels());
    const Networks made = networks(cuda);
    const auto estimator = estimator_of(made);
    const int launches = cuda.count_of("launch"), instances = cuda.count_of("instantiate");
    const int updates = cuda.count_of("update_copy");
    Picture picture({{20, 20}, {70, 40}, {50, 10}});
    ASSERT_TRUE(estimator->run(picture.view(), picture.record, picture.pose()));
    EXPECT_EQ(cuda.count_of("launch"), launches + 3);  // two around the called detector, one of the crops
    EXPECT_EQ(cuda.count_of("update_copy"), updates + 1);
    Picture empty({});
    ASSERT_TRUE(estimator->run(empty.view(), empty.record, empty.pose()));
    EXPECT_EQ(cuda.count_of("launch"), launches + 5);  // no animal, no crops
    EXPECT_TRUE(std::isnan(empty.keypoints[0].x));
    EXPECT_EQ(cuda.count_of("instantiate"), instances);
    EXPECT_TRUE(testing::says(made.crops->description(), {"crops of 3 animals", "one graph"}));
}

TEST(CudaTopDown, AllocatesNothingPerFrame) {
    EmulatedCuda cuda(host_kernels());
    const auto estimator = estimator_of(networks(cuda));
    Picture picture({{20, 20}, {70, 40}});
    ASSERT_TRUE(estimator->run(picture.view(), picture.record, picture.pose()));
    start_counting_allocations();
    for (int i = 0; i < 50; ++i)
        static_cast<void>(estimator->run(picture.view(), picture.record, picture.pose()));
    EXPECT_EQ(stop_counting_allocations(), 0);
}

TEST(CudaTopDown, AFailureOfEitherIsTold) {
    EmulatedCuda cuda(host_kernels());
    const auto estimator = estimator_of(networks(cuda));
    Picture picture({{20, 20}});
    for (const int launch : {1, 3}) {  // the detector's, the crops'
        cuda.fail("launch", 719, launch);
        EXPECT_FALSE(estimator->run(picture.view(), picture.record, picture.pose())) << launch;
        EXPECT_TRUE(testing::says(estimator->last_error(), {"device cuda:0", "cudaErrorLaunchFailure"}));
    }
    EXPECT_TRUE(estimator->run(picture.view(), picture.record, picture.pose()));
}

TEST(CudaTopDown, RefusesWhatDoesNotFit) {
    EmulatedCuda cuda(host_kernels());
    const Networks made = networks(cuda);
    CudaCropsSpec other = crops_spec();
    other.crop.frame.roi = {0, 0, width - 2, height};
    EXPECT_THROW(CudaCrops(cuda, other, made.detector), ConfigError);
    EXPECT_THROW(CudaCrops(cuda, crops_spec(), nullptr), ConfigError);
    EXPECT_THROW((void)make_cuda_top_down(nullptr, made.finder, made.crops), ConfigError);
    EXPECT_THROW(BoxFinder(nullptr, 1), ConfigError);
    CudaCropsSpec without = crops_spec();
    without.outputs.clear();
    EXPECT_THROW(CudaCrops(cuda, without, made.detector), ConfigError);
    CudaCrops unmade(cuda, crops_spec(), made.detector);
    EXPECT_THROW(unmade.finish(), ConfigError);
}

}  // namespace
}  // namespace fastpose
