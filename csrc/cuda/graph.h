// A graph that is built once, and its instance that is launched for each frame.
#pragma once
#include <span>
#include <utility>
#include <vector>

#include "cuda/cuda_calls.h"

namespace fastpose {

// A node of a graph and of its instances; not an owner.
struct GraphNode {
    CudaHandle handle = nullptr;
};

// Thread-bound. Set-up throws DeviceError.
class CudaGraph {
  public:
    explicit CudaGraph(CudaCalls& calls);
    ~CudaGraph();
    CudaGraph(const CudaGraph&) = delete;
    CudaGraph& operator=(const CudaGraph&) = delete;

    GraphNode copy(std::span<const GraphNode> after, void* to, const void* from, std::size_t bytes);
    GraphNode kernel(std::span<const GraphNode> after, const KernelCall& call);
    GraphNode child(std::span<const GraphNode> after, CudaHandle graph);
    GraphNode event(std::span<const GraphNode> after, CudaHandle event);
    [[nodiscard]] CudaHandle handle() const noexcept { return handle_; }
    [[nodiscard]] int nodes() const noexcept { return nodes_; }

  private:
    [[nodiscard]] std::span<const CudaHandle> handles_of(std::span<const GraphNode> nodes);
    GraphNode added(CudaHandle node) noexcept;

    CudaCalls* calls_;
    CudaHandle handle_ = nullptr;
    std::vector<CudaHandle> after_;
    int nodes_ = 0;
};

// Thread-bound. update() and launch() neither throw nor allocate; they return 0 or the runtime's error.
class GraphInstance {
  public:
    GraphInstance(CudaCalls& calls, const CudaGraph& graph);
    ~GraphInstance();
    GraphInstance(const GraphInstance&) = delete;
    GraphInstance& operator=(const GraphInstance&) = delete;

    [[nodiscard]] int update(GraphNode copy, void* to, const void* from, std::size_t bytes) noexcept {
        return calls_->update_copy(handle_, copy.handle, to, from, bytes);
    }
    [[nodiscard]] int launch(CudaHandle stream) noexcept { return calls_->launch(handle_, stream); }

  private:
    CudaCalls* calls_;
    CudaHandle handle_ = nullptr;
};

}  // namespace fastpose
