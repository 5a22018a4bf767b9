// A run writes where the crops lie; all else was said when the graph was built.
#include "engine/cuda_crops.h"

#include <algorithm>
#include <limits>
#include <tuple>
#include <utility>

#include "base/check.h"
#include "base/clock.h"
#include "base/error.h"

namespace fastpose {
namespace {

constexpr int warm_up_runs = 5;

std::shared_ptr<CudaNetwork> required(std::shared_ptr<CudaNetwork> frames) {
    if (!frames) throw ConfigError("crops need the network that uploads their frames");
    return frames;
}

}  // namespace

CudaCrops::CudaCrops(CudaCalls& calls, CudaCropsSpec spec, std::shared_ptr<CudaNetwork> frames)
    : calls_(&calls),
      spec_(std::move(spec)),
      frames_(required(std::move(frames))),
      cropper_(spec_.crop, spec_.input),
      network_(calls, spec_.input, spec_.outputs, spec_.high_priority),
      places_(calls, static_cast<std::size_t>(rows()) * (sizeof(RowParameters) + sizeof(CropRectangle))),
      device_places_(calls, places_.bytes()) {
    check();
    results_ =
        std::make_unique<CudaResults>(calls, spec_.decode, network_.outputs(),
                                      PoseShape{rows(), 1, spec_.bodyparts}, parameters(device_places_));
}

CudaCrops::~CudaCrops() {
    static_cast<void>(calls_->set_device(device()));
    static_cast<void>(calls_->synchronize(network_.stream().handle()));
}

void CudaCrops::check() const {
    require_at_least("bodyparts", spec_.bodyparts, 1);
    if (spec_.outputs.empty()) throw ConfigError("a network without outputs; needed is at least one");
    const std::vector<PreprocessSpec>& rows = frames_->spec().rows;
    const PreprocessSpec& wanted = spec_.crop.frame;
    const auto kind = [](const PreprocessSpec& spec) {
        return std::tuple(spec.format, spec.frame_width, spec.frame_height, spec.roi.x, spec.roi.y,
                          spec.roi.width, spec.roi.height);
    };
    if (rows.size() != 1 || kind(rows[0]) != kind(wanted))
        throw ConfigError(
            "the crops' frames or their area are not those that are uploaded; "
            "allowed: one row with the same format, size and roi");
}

void CudaCrops::finish() {
    graph_ = std::make_unique<NetworkGraph>(
        *calls_, network_, [this](CudaGraph& graph) { return add_crops(graph); },
        [this](CudaGraph& graph, const Nodes& after) {
            static_cast<void>(results_->add_download(graph, results_->add_decode(graph, after)));
        });
    if (warm_up() == 0) throw DeviceError(last_error());
}

CudaCrops::Nodes CudaCrops::add_crops(CudaGraph& graph) const {
    const GraphNode upload = graph.copy({}, device_places_.data(), places_.data(), places_.bytes());
    const CropArguments arguments = cropper_.arguments(frames_->device_frame(0), parameters(device_places_),
                                                       rectangles(device_places_), network_.input());
    return {graph.kernel({&upload, 1}, {cropper_.kernel(), cropper_.grid(), &arguments, sizeof arguments})};
}

bool CudaCrops::run(std::span<const Box> boxes) noexcept {
    found_ = std::min(static_cast<int>(boxes.size()), rows());
    for (int i = 0; i < found_; ++i)
        cropper_.place(boxes[static_cast<std::size_t>(i)], frames_->device_stride(0), parameters(places_)[i],
                       rectangles(places_)[i]);
    return graph_ && last_error_.good(*calls_, calls_->set_device(device()), "to choose the device") &&
           graph_->launch(last_error_, "the crops") &&
           last_error_.good(*calls_, calls_->synchronize(network_.stream().handle()), "the crops");
}

void CudaCrops::deliver(PoseView pose) noexcept {
    make_missing(pose);
    for (int i = 0; i < std::min(found_, pose.individuals); ++i)
        results_->deliver(i, parameters(places_)[i], {&pose.at(i, 0), 1, pose.bodyparts});
}

std::int64_t CudaCrops::warm_up() noexcept {
    std::int64_t shortest = std::numeric_limits<std::int64_t>::max();
    for (int i = 0; i < warm_up_runs; ++i) {
        const std::int64_t begin_ns = now_ns();
        if (!run({})) return 0;
        shortest = std::min(shortest, now_ns() - begin_ns);
    }
    return std::max<std::int64_t>(shortest, 1);
}

std::string CudaCrops::description() const {
    const std::string graphs = graph_ ? graph_->description() : "no graph yet";
    return "crops of " + std::to_string(rows()) + " animals, " + graphs + ", " + results_->description();
}

}  // namespace fastpose
