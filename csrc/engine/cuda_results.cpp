// Keypoints by a kernel, or maps and lists for a decoder on the host.
#include "engine/cuda_results.h"

#include <algorithm>
#include <string>

#include "base/error.h"
#include "engine/batch.h"

namespace fastpose {
namespace {

void require_readable(const DeviceTensor& tensor) {
    if (tensor.element != DeviceElement::u8 && tensor.layout != TensorLayout::nhwc) return;
    throw ConfigError("decode: output " + tensor.name + " is " + std::string(name_of(tensor.element)) + " " +
                      std::string(name_of(tensor.layout)) + "; allowed: f32 or f16, nchw");
}

}  // namespace

CudaResults::CudaResults(CudaCalls& calls, const CudaDecodeSpec& spec, std::span<const DeviceOutput> outputs,
                         PoseShape shape, const RowParameters* parameters)
    : spec_(&spec), outputs_(outputs), shape_(shape), parameters_(parameters) {
    if (const auto* host = std::get_if<HostDecodeSpec>(&spec))
        plan_maps(calls, *host);
    else
        plan_poses(calls);
}

// Keypoints that no kernel writes are missing, from the beginning on.
void CudaResults::plan_poses(CudaCalls& calls) {
    const std::size_t count = static_cast<std::size_t>(shape_.rows) *
                              static_cast<std::size_t>(shape_.individuals) *
                              static_cast<std::size_t>(shape_.bodyparts);
    const std::vector<Keypoint> missing(count, missing_keypoint());
    device_keypoints_ = on_device(calls, std::as_bytes(std::span(missing)));
    keypoints_ = PinnedMemory(calls, count * sizeof(Keypoint));
}

void CudaResults::plan_maps(CudaCalls& calls, const HostDecodeSpec& spec) {
    if (!spec.decoder) throw ConfigError("host_decode has no decoder");
    std::size_t made = 0;
    if (!std::holds_alternative<std::monostate>(spec.lists)) {
        lists_ = std::make_unique<CudaLists>(calls, spec.lists, outputs_, shape_.rows);
        maps_.assign(lists_->lists().begin(), lists_->lists().end());
        made = lists_->inputs();
    }
    maps_.insert(maps_.end(), outputs_.begin() + static_cast<std::ptrdiff_t>(made), outputs_.end());
    for (const DeviceOutput& map : maps_) {
        require_readable(map.tensor);
        const std::size_t bytes = map.tensor.size() * sizeof(float);
        widened_.emplace_back(calls, map.tensor.element == DeviceElement::f16 ? bytes : 0);
        host_maps_.emplace_back(calls, bytes);
        views_.push_back({reinterpret_cast<const float*>(host_maps_.back().data()), map.tensor.shape});
    }
    row_views_ = views_;
}

CudaResults::Nodes CudaResults::add_decode(CudaGraph& graph, std::span<const GraphNode> after) const {
    if (decodes_on_host(*spec_)) {
        Nodes nodes = add_widening(graph, after);
        if (lists_) nodes.push_back(lists_->add_to(graph, after));
        return nodes;
    }
    const DevicePoses poses{reinterpret_cast<Keypoint*>(device_keypoints_.data()), parameters_, shape_.rows,
                            shape_.individuals, shape_.bodyparts};
    const DecodeKernel kernel = plan_decode(*spec_, outputs_, poses);
    return {graph.kernel(after, kernel.call())};
}

CudaResults::Nodes CudaResults::add_widening(CudaGraph& graph, std::span<const GraphNode> after) const {
    Nodes nodes(after.begin(), after.end());
    for (std::size_t i = 0; i < widened_.size(); ++i) {
        if (widened_[i].bytes() == 0) continue;
        const WidenArguments arguments{static_cast<const Half*>(maps_[i].data),
                                       reinterpret_cast<float*>(widened_[i].data()),
                                       static_cast<std::int64_t>(maps_[i].tensor.size())};
        nodes.push_back(graph.kernel(after, widen_call(arguments)));
    }
    return nodes;
}

CudaResults::Nodes CudaResults::add_download(CudaGraph& graph, std::span<const GraphNode> after) const {
    if (!decodes_on_host(*spec_))
        return {graph.copy(after, keypoints_.data(), device_keypoints_.data(), keypoints_.bytes())};
    Nodes copies;
    for (std::size_t i = 0; i < host_maps_.size(); ++i) {
        const void* from = widened_[i].bytes() > 0 ? widened_[i].data() : maps_[i].data;
        copies.push_back(graph.copy(after, host_maps_[i].data(), from, host_maps_[i].bytes()));
    }
    return copies;
}

void CudaResults::deliver(int row, const RowParameters& map, PoseView pose) noexcept {
    if (decodes_on_host(*spec_)) return decode_on_host(row, map, pose);
    make_missing(pose);
    const auto* keypoints = reinterpret_cast<const Keypoint*>(keypoints_.data());
    for (int i = 0; i < std::min(pose.individuals, shape_.individuals); ++i)
        std::copy_n(
            keypoints + (static_cast<std::ptrdiff_t>(row) * shape_.individuals + i) * shape_.bodyparts,
            std::min(pose.bodyparts, shape_.bodyparts), &pose.at(i, 0));
}

void CudaResults::decode_on_host(int row, const RowParameters& map, PoseView pose) noexcept {
    for (std::size_t i = 0; i < row_views_.size(); ++i) row_views_[i] = row_of(views_[i], row, shape_.rows);
    std::get<HostDecodeSpec>(*spec_).decoder->run(
        row_views_, {map.scale_x, map.scale_y, map.offset_x, map.offset_y}, pose);
}

const char* CudaResults::description() const noexcept {
    if (!decodes_on_host(*spec_)) return "decode on the GPU";
    return lists_ ? "peaks and limbs on the GPU, animals on the CPU" : "decode on the CPU";
}

}  // namespace fastpose
