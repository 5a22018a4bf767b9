// Only the network on the GPU, behind the interface of every other runtime: for estimators that preprocess
// and decode on the CPU (crops of a detector, say).
#pragma once
#include <array>
#include <memory>
#include <string>
#include <vector>

#include "cuda/last_error.h"
#include "engine/device_network.h"
#include "engine/network_graph.h"
#include "infer/backend.h"

namespace fastpose {

struct CudaBackendSpec {
    int device = 0;
    DeviceTensor input;  // f32 or u8
    std::vector<DeviceTensor> outputs;
    bool high_priority = true;
    std::string description;  // of the network's runtime
};

// Upload of the input, network, download of the outputs as f32: one graph. See Backend and DeviceNetwork.
class CudaBackend final : public Backend {
  public:
    CudaBackend(CudaCalls& calls, CudaBackendSpec spec);
    ~CudaBackend() override;

    [[nodiscard]] DeviceNetwork& network() noexcept { return network_; }
    // The network is made: builds the graph and runs it once.
    void finish();

    [[nodiscard]] std::array<int, 4> input_shape() const noexcept override { return spec_.input.shape; }
    [[nodiscard]] InputView input() noexcept override;
    [[nodiscard]] bool run() noexcept override;
    [[nodiscard]] std::span<const TensorView> outputs() const noexcept override { return views_; }
    [[nodiscard]] const char* last_error() const noexcept override { return last_error_.text(); }
    [[nodiscard]] std::string description() const override;

  private:
    void add_outputs(CudaGraph& graph, std::span<const GraphNode> after);

    CudaCalls* calls_;
    CudaBackendSpec spec_;
    DeviceNetwork network_;
    PinnedMemory input_;
    std::vector<DeviceMemory> widened_;
    std::vector<PinnedMemory> maps_;
    std::vector<TensorView> views_;
    std::unique_ptr<NetworkGraph> graph_;
    CudaLastError last_error_{spec_.device};
};

}  // namespace fastpose
