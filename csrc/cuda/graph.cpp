// Nodes of a graph, one call each.
#include "cuda/graph.h"

#include "cuda/cuda_check.h"

namespace fastpose {

CudaGraph::CudaGraph(CudaCalls& calls) : calls_(&calls) {
    check_cuda(calls, calls.create_graph(handle_), "to make a graph");
}

CudaGraph::~CudaGraph() { static_cast<void>(calls_->destroy_graph(handle_)); }

std::span<const CudaHandle> CudaGraph::handles_of(std::span<const GraphNode> nodes) {
    after_.clear();
    for (const GraphNode& node : nodes) after_.push_back(node.handle);
    return after_;
}

GraphNode CudaGraph::added(CudaHandle node) noexcept {
    ++nodes_;
    return {node};
}

GraphNode CudaGraph::copy(std::span<const GraphNode> after, void* to, const void* from, std::size_t bytes) {
    CudaHandle node = nullptr;
    check_cuda(*calls_, calls_->add_copy(node, handle_, handles_of(after), to, from, bytes),
               "to add a copy to the graph");
    return added(node);
}

GraphNode CudaGraph::kernel(std::span<const GraphNode> after, const KernelCall& call) {
    CudaHandle node = nullptr;
    check_cuda(*calls_, calls_->add_kernel(node, handle_, handles_of(after), call),
               "to add a kernel to the graph");
    return added(node);
}

GraphNode CudaGraph::child(std::span<const GraphNode> after, CudaHandle graph) {
    CudaHandle node = nullptr;
    check_cuda(*calls_, calls_->add_child(node, handle_, handles_of(after), graph),
               "to add the network's graph");
    return added(node);
}

GraphNode CudaGraph::event(std::span<const GraphNode> after, CudaHandle event) {
    CudaHandle node = nullptr;
    check_cuda(*calls_, calls_->add_event(node, handle_, handles_of(after), event),
               "to add an event to the graph");
    return added(node);
}

GraphInstance::GraphInstance(CudaCalls& calls, const CudaGraph& graph) : calls_(&calls) {
    check_cuda(calls, calls.instantiate(handle_, graph.handle()), "to instantiate the graph");
}

GraphInstance::~GraphInstance() { static_cast<void>(calls_->destroy_exec(handle_)); }

}  // namespace fastpose
