// Tensors, capture, and what a frame's graph takes of it.
#include "engine/device_network.h"

#include <utility>

#include "base/error.h"
#include "cuda/cuda_check.h"

namespace fastpose {

DeviceNetwork::DeviceNetwork(CudaCalls& calls, DeviceTensor input, std::vector<DeviceTensor> outputs,
                             bool high_priority)
    : calls_(&calls),
      input_tensor_(std::move(input)),
      stream_(calls, high_priority),
      input_(calls, input_tensor_.bytes()) {
    if (input_tensor_.size() == 0)
        throw ConfigError("the network's input " + input_tensor_.name + " is empty");
    for (DeviceTensor& tensor : outputs) {
        memory_.emplace_back(calls, tensor.bytes());
        outputs_.push_back({std::move(tensor), memory_.back().data()});
    }
}

DeviceNetwork::~DeviceNetwork() { drop_captured(); }

void DeviceNetwork::drop_captured() noexcept {
    if (captured_ != nullptr) static_cast<void>(calls_->destroy_graph(captured_));
    captured_ = nullptr;
}

void DeviceNetwork::begin_capture() {
    drop_captured();
    stream_.synchronize();
    stream_.begin_capture();
}

bool DeviceNetwork::end_capture(bool good) {
    capture_error_.clear();
    captured_ = stream_.end_capture(capture_error_);
    if (good) return captured_ != nullptr;
    drop_captured();
    if (capture_error_.empty()) capture_error_ = "the runtime refused to enqueue during the capture";
    return false;
}

void DeviceNetwork::adopt(CudaHandle graph) {
    if (graph == nullptr) throw ConfigError("graph is 0; allowed: a cudaGraph_t");
    drop_captured();
    adopted_ = graph;
}

void DeviceNetwork::call_each_frame(Call call) {
    if (!call) throw ConfigError("call is empty; allowed: a function that enqueues the network");
    call_ = std::move(call);
}

void DeviceNetwork::require_made() const {
    if (captured_ != nullptr || adopted_ != nullptr || call_) return;
    throw ConfigError(
        "there is no network yet; needed before finish(): a capture, adopt_graph() or call_each_frame()");
}

void DeviceNetwork::read(std::span<std::uint8_t> to, const void* from) {
    stream_.synchronize();
    check_cuda(*calls_, calls_->copy(to.data(), from, to.size()), "to read a tensor");
}

void DeviceNetwork::write(void* to, std::span<const std::uint8_t> from) {
    stream_.synchronize();
    check_cuda(*calls_, calls_->copy(to, from.data(), from.size()), "to write a tensor");
}

GraphNode DeviceNetwork::add_to(CudaGraph& graph, std::span<const GraphNode> after) const {
    return graph.child(after, captured_ != nullptr ? captured_ : adopted_);
}

}  // namespace fastpose
