// What follows the network in a graph: decode and download of the poses of a batch.
#pragma once
#include <memory>
#include <span>
#include <vector>

#include "cuda/graph.h"
#include "cuda/memory.h"
#include "decode/decode_cuda.h"
#include "decode/paf_lists_cuda.h"

namespace fastpose {

struct PoseShape {
    int rows = 1, individuals = 1, bodyparts = 0;  // rows: of the batch
};

// Thread-bound. Set-up throws ConfigError and DeviceError; deliver() neither throws nor allocates.
class CudaResults {
  public:
    using Nodes = std::vector<GraphNode>;  // that what follows waits for

    // parameters: on the device, one a row. The spec, the outputs and these must outlive it.
    CudaResults(CudaCalls& calls, const CudaDecodeSpec& spec, std::span<const DeviceOutput> outputs,
                PoseShape shape, const RowParameters* parameters);

    [[nodiscard]] Nodes add_decode(CudaGraph& graph, std::span<const GraphNode> after) const;
    [[nodiscard]] Nodes add_download(CudaGraph& graph, std::span<const GraphNode> after) const;
    // The pose of a row, of a run that is done; map: the parameters that the row had.
    void deliver(int row, const RowParameters& map, PoseView pose) noexcept;
    // Who decodes, in words.
    [[nodiscard]] const char* description() const noexcept;

  private:
    void plan_poses(CudaCalls& calls);
    void plan_maps(CudaCalls& calls, const HostDecodeSpec& spec);
    [[nodiscard]] Nodes add_widening(CudaGraph& graph, std::span<const GraphNode> after) const;
    void decode_on_host(int row, const RowParameters& map, PoseView pose) noexcept;

    const CudaDecodeSpec* spec_;
    std::span<const DeviceOutput> outputs_;
    PoseShape shape_;
    const RowParameters* parameters_;
    // Decoded on the device:
    DeviceMemory device_keypoints_;
    PinnedMemory keypoints_;  // (rows, individuals, bodyparts)
    // Decoded on the host:
    std::unique_ptr<CudaLists> lists_;
    std::vector<DeviceOutput> maps_;     // that the decoder reads: lists, then outputs
    std::vector<DeviceMemory> widened_;  // of each as f32, where it holds halves
    std::vector<PinnedMemory> host_maps_;
    std::vector<TensorView> views_, row_views_;
};

}  // namespace fastpose
