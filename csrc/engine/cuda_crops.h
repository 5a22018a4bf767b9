// The animals of a frame that lies on the GPU: their crops are one batch, and one graph.
#pragma once
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "cuda/last_error.h"
#include "engine/cuda_network.h"
#include "engine/cuda_results.h"
#include "engine/network_graph.h"
#include "preprocess/crop_cuda.h"

namespace fastpose {

struct CudaCropsSpec {
    CropSpec crop;
    DeviceTensor input;  // as many rows as animals at most
    std::vector<DeviceTensor> outputs;
    CudaDecodeSpec decode;
    int bodyparts = 0;
    bool high_priority = true;
};

// Upload of the places, crops, network, decode and download: one launch and one wait. The crops' corners and
// sizes are read from device memory, so the graph stays as it is wherever the animals go. The frame is the
// one that `frames` (of one row, the same frame size and format) uploaded last. Thread-bound as CudaNetwork.
// run() and warm_up() neither throw nor allocate.
class CudaCrops {
  public:
    CudaCrops(CudaCalls& calls, CudaCropsSpec spec, std::shared_ptr<CudaNetwork> frames);
    ~CudaCrops();

    [[nodiscard]] DeviceNetwork& network() noexcept { return network_; }
    // The network is made: builds the graph and runs it once.
    void finish();

    // Boxes beyond the rows are left out. False: last_error() says why.
    [[nodiscard]] bool run(std::span<const Box> boxes) noexcept;
    // Of the last run: box i is individual i of the pose; the others are missing.
    void deliver(PoseView pose) noexcept;
    [[nodiscard]] std::int64_t warm_up() noexcept;
    [[nodiscard]] int rows() const noexcept { return spec_.input.shape[0]; }
    [[nodiscard]] int bodyparts() const noexcept { return spec_.bodyparts; }
    [[nodiscard]] const char* last_error() const noexcept { return last_error_.text(); }
    [[nodiscard]] std::string description() const;

  private:
    using Nodes = NetworkGraph::Nodes;
    [[nodiscard]] int device() const noexcept { return frames_->spec().device; }
    void check() const;
    [[nodiscard]] Nodes add_crops(CudaGraph& graph) const;
    [[nodiscard]] RowParameters* parameters(const auto& memory) const noexcept {
        return reinterpret_cast<RowParameters*>(memory.data());
    }
    [[nodiscard]] CropRectangle* rectangles(const auto& memory) const noexcept {
        return reinterpret_cast<CropRectangle*>(parameters(memory) + rows());
    }

    CudaCalls* calls_;
    CudaCropsSpec spec_;
    std::shared_ptr<CudaNetwork> frames_;
    CudaCropper cropper_;
    DeviceNetwork network_;
    PinnedMemory places_;         // RowParameters of each row, then its CropRectangle
    DeviceMemory device_places_;  // the same
    std::unique_ptr<CudaResults> results_;
    std::unique_ptr<NetworkGraph> graph_;
    int found_ = 0;
    CudaLastError last_error_{device()};
};

}  // namespace fastpose
