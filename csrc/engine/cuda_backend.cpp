// A small graph around the network.
#include "engine/cuda_backend.h"

#include <utility>

#include "base/error.h"
#include "cuda/status.h"

namespace fastpose {
namespace {

CudaBackendSpec checked(CudaCalls& calls, CudaBackendSpec spec) {
    require_cuda_device(calls, spec.device);
    if (spec.input.element == DeviceElement::f16)
        throw ConfigError("the network's input " + spec.input.name +
                          " is f16; allowed where the CPU preprocesses: f32, u8");
    for (const DeviceTensor& output : spec.outputs)
        if (output.element == DeviceElement::u8 || output.layout == TensorLayout::nhwc)
            throw ConfigError("output " + output.name + " is " + std::string(name_of(output.element)) + " " +
                              std::string(name_of(output.layout)) + "; allowed: f32 or f16, nchw");
    return spec;
}

}  // namespace

CudaBackend::CudaBackend(CudaCalls& calls, CudaBackendSpec spec)
    : calls_(&calls),
      spec_(checked(calls, std::move(spec))),
      network_(calls, spec_.input, spec_.outputs, spec_.high_priority),
      input_(calls, spec_.input.bytes()) {
    for (const DeviceOutput& output : network_.outputs()) {
        const std::size_t bytes = output.tensor.size() * sizeof(float);
        widened_.emplace_back(calls, output.tensor.element == DeviceElement::f16 ? bytes : 0);
        maps_.emplace_back(calls, bytes);
        views_.push_back({reinterpret_cast<const float*>(maps_.back().data()), output.tensor.shape});
    }
}

CudaBackend::~CudaBackend() {
    static_cast<void>(calls_->set_device(spec_.device));
    static_cast<void>(calls_->synchronize(network_.stream().handle()));
}

void CudaBackend::finish() {
    using Nodes = NetworkGraph::Nodes;
    graph_ = std::make_unique<NetworkGraph>(
        *calls_, network_,
        [this](CudaGraph& graph) {
            return Nodes{graph.copy({}, network_.input(), input_.data(), input_.bytes())};
        },
        [this](CudaGraph& graph, const Nodes& after) { add_outputs(graph, after); });
    if (!run()) throw DeviceError(last_error());
}

void CudaBackend::add_outputs(CudaGraph& graph, std::span<const GraphNode> after) {
    for (std::size_t i = 0; i < maps_.size(); ++i) {
        const DeviceOutput& output = network_.outputs()[i];
        if (widened_[i].bytes() == 0) {
            graph.copy(after, maps_[i].data(), output.data, maps_[i].bytes());
            continue;
        }
        const WidenArguments arguments{static_cast<const Half*>(output.data),
                                       reinterpret_cast<float*>(widened_[i].data()),
                                       static_cast<std::int64_t>(output.tensor.size())};
        const GraphNode widened = graph.kernel(after, widen_call(arguments));
        graph.copy({&widened, 1}, maps_[i].data(), widened_[i].data(), maps_[i].bytes());
    }
}

InputView CudaBackend::input() noexcept {
    const bool bytes = spec_.input.element == DeviceElement::u8;
    return {input_.data(), {bytes ? ElementType::u8 : ElementType::f32, spec_.input.layout}};
}

bool CudaBackend::run() noexcept {
    return graph_ && last_error_.good(*calls_, calls_->set_device(spec_.device), "to choose the device") &&
           graph_->launch(last_error_, "its input") &&
           last_error_.good(*calls_, calls_->synchronize(network_.stream().handle()), "an inference");
}

std::string CudaBackend::description() const {
    CudaDevice device;
    const bool known = calls_->device(spec_.device, device) == 0;
    const std::string name = known ? " " + device.name : "";
    return "cuda:" + std::to_string(spec_.device) + name +
           (spec_.description.empty() ? "" : ", " + spec_.description);
}

}  // namespace fastpose
