// One block a map: grid (bodyparts, rows). Checks what the CPU decoders' factories check, and the shapes.
#include "decode/decode_cuda.h"

#include <array>

#include "base/check.h"
#include "base/error.h"

namespace fastpose {
namespace {

using Shape = std::array<int, 4>;

std::string text_of(const Shape& shape) {
    std::string text;
    for (const int size : shape) text += (text.empty() ? "" : "x") + std::to_string(size);
    return text;
}

void require_pose(int bodyparts, const DevicePoses& poses) {
    if (bodyparts <= poses.bodyparts) return;
    throw ConfigError("decode: " + std::to_string(bodyparts) + " bodyparts; allowed: the " +
                      std::to_string(poses.bodyparts) + " of the pose");
}

KernelGrid grid_of(int bodyparts, int rows) {
    return {static_cast<unsigned>(bodyparts), static_cast<unsigned>(rows), 1, kDecodeThreads, 1};
}

template <class Spec>
MapArguments maps_of(const Spec& spec, std::span<const DeviceOutput> outputs, const DevicePoses& poses) {
    require_pose(spec.bodyparts, poses);
    MapArguments arguments;
    arguments.heatmap =
        require_output(outputs, 0, {poses.rows, spec.bodyparts, spec.map_height, spec.map_width});
    arguments.parameters = poses.parameters;
    arguments.keypoints = poses.keypoints;
    arguments.bodyparts = spec.bodyparts;
    arguments.height = spec.map_height;
    arguments.width = spec.map_width;
    arguments.individuals = poses.individuals;
    arguments.pose_bodyparts = poses.bodyparts;
    arguments.stride = spec.stride;
    return arguments;
}

template <class Spec>
void add_locref(MapArguments& arguments, const Spec& spec, std::span<const DeviceOutput> outputs, int rows) {
    arguments.activation = spec.activation;
    arguments.locref_stdev = spec.locref_stdev;
    if (spec.locref_stdev <= 0) return;
    arguments.locref =
        require_output(outputs, 1, {rows, 2 * spec.bodyparts, spec.map_height, spec.map_width});
}

void require_odd(const char* name, int size) {
    require_at_least(name, size, 1);
    if (size % 2 == 0)
        throw ConfigError(std::string(name) + " is " + std::to_string(size) +
                          "; allowed: an odd number of cells");
}

struct Planner {
    std::span<const DeviceOutput> outputs;
    const DevicePoses& poses;

    DecodeKernel operator()(const HeatmapDecoderSpec& spec) const {
        static_cast<void>(make_heatmap_decoder(spec));  // checks the spec
        MapArguments arguments = maps_of(spec, outputs, poses);
        add_locref(arguments, spec, outputs, poses.rows);
        return {KernelId::decode_heatmap, grid_of(spec.bodyparts, poses.rows), arguments};
    }
    DecodeKernel operator()(const SoftWindowSpec& spec) const {
        static_cast<void>(make_soft_window_decoder(spec));
        MapArguments arguments = maps_of(spec, outputs, poses);
        arguments.window = spec.size;
        arguments.min_score = spec.min_score;
        return {KernelId::decode_soft_window, grid_of(spec.bodyparts, poses.rows), arguments};
    }
    DecodeKernel operator()(const PeaksDecoderSpec& spec) const {
        static_cast<void>(make_heatmap_decoder({spec.bodyparts, spec.map_height, spec.map_width, spec.stride,
                                                spec.locref_stdev, spec.activation}));
        require_odd("decoder.nms_size", spec.nms_size);
        MapArguments arguments = maps_of(spec, outputs, poses);
        add_locref(arguments, spec, outputs, poses.rows);
        arguments.window = spec.nms_size;
        arguments.min_score = spec.min_score;
        return {KernelId::decode_peaks, grid_of(spec.bodyparts, poses.rows), arguments};
    }
    DecodeKernel operator()(const SimccDecoderSpec& spec) const {
        static_cast<void>(make_simcc_decoder(spec));
        require_pose(spec.bodyparts, poses);
        SimccArguments arguments;
        // Outputs of three dimensions carry the batch in the second of four.
        arguments.x = require_output(outputs, 0, {1, poses.rows, spec.bodyparts, spec.bins_x});
        arguments.y = require_output(outputs, 1, {1, poses.rows, spec.bodyparts, spec.bins_y});
        arguments.parameters = poses.parameters;
        arguments.keypoints = poses.keypoints;
        arguments.bodyparts = spec.bodyparts;
        arguments.bins_x = spec.bins_x;
        arguments.bins_y = spec.bins_y;
        arguments.individuals = poses.individuals;
        arguments.pose_bodyparts = poses.bodyparts;
        arguments.split_ratio = spec.split_ratio;
        arguments.temperature = spec.temperature;
        arguments.softmax = spec.softmax;
        return {KernelId::decode_simcc, grid_of(spec.bodyparts, poses.rows), arguments};
    }
    DecodeKernel operator()(const HostDecodeSpec&) const {
        throw ConfigError("decode: this decoder runs on the host; it has no kernel");
    }
};

template <class Action>
void for_each_map(int rows, int bodyparts, Action action) {
    for (int row = 0; row < rows; ++row)
        for (int part = 0; part < bodyparts; ++part) action(row, part);
}

}  // namespace

MapView require_output(std::span<const DeviceOutput> outputs, std::size_t index,
                       const std::array<int, 4>& wanted) {
    if (index >= outputs.size())
        throw ConfigError("decode: the network has " + std::to_string(outputs.size()) +
                          " outputs; needed are " + std::to_string(index + 1));
    const DeviceTensor& tensor = outputs[index].tensor;
    if (tensor.shape != wanted)
        throw ConfigError("decode: output " + tensor.name + " is " + text_of(tensor.shape) + "; needed is " +
                          text_of(wanted));
    const bool one_pixel = tensor.shape[1] == 1 || tensor.shape[2] * tensor.shape[3] == 1;
    if (tensor.element == DeviceElement::u8 || (tensor.layout == TensorLayout::nhwc && !one_pixel))
        throw ConfigError("decode: output " + tensor.name + " is " + std::string(name_of(tensor.element)) +
                          " " + std::string(name_of(tensor.layout)) + "; allowed: f32 or f16, nchw");
    return {outputs[index].data, tensor.element};
}

KernelCall DecodeKernel::call() const noexcept {
    return std::visit([this](const auto& values) { return KernelCall{kernel, grid, &values, sizeof values}; },
                      arguments);
}

DecodeKernel plan_decode(const CudaDecodeSpec& spec, std::span<const DeviceOutput> outputs,
                         const DevicePoses& poses) {
    return std::visit(Planner{outputs, poses}, spec);
}

bool decodes_on_host(const CudaDecodeSpec& spec) noexcept {
    return std::holds_alternative<HostDecodeSpec>(spec);
}

KernelCall widen_call(const WidenArguments& arguments) noexcept {
    const auto blocks = static_cast<unsigned>((arguments.count + kDecodeThreads - 1) / kDecodeThreads);
    return {KernelId::widen, {blocks, 1, 1, kDecodeThreads, 1}, &arguments, sizeof arguments};
}

void decode_heatmap_on_host(const MapArguments& spec, int rows) noexcept {
    for_each_map(rows, spec.bodyparts, [&](int row, int part) {
        const Candidate peak = strided_argmax(map_of(spec, row, part), cells_of(spec), 0, 1);
        place_of(spec, row, 0, part) = heatmap_keypoint(spec, row, part, peak);
    });
}

void decode_soft_window_on_host(const MapArguments& spec, int rows) noexcept {
    for_each_map(rows, spec.bodyparts, [&](int row, int part) {
        const Candidate peak = strided_argmax(map_of(spec, row, part), cells_of(spec), 0, 1);
        place_of(spec, row, 0, part) = soft_window_keypoint(spec, row, part, peak);
    });
}

void decode_peaks_on_host(const MapArguments& spec, int rows) noexcept {
    for_each_map(rows, spec.bodyparts, [&](int row, int part) {
        Candidate last = before_all();
        for (int individual = 0; individual < spec.individuals; ++individual) {
            last = strided_peak(spec, map_of(spec, row, part), last, 0, 1);
            place_of(spec, row, individual, part) = heatmap_keypoint(spec, row, part, last);
        }
    });
}

void decode_simcc_on_host(const SimccArguments& spec, int rows) noexcept {
    for_each_map(rows, spec.bodyparts, [&](int row, int part) {
        const MapView x = bins_of(spec.x, row, part, spec.bodyparts, spec.bins_x);
        const MapView y = bins_of(spec.y, row, part, spec.bodyparts, spec.bins_y);
        const Candidate column = strided_argmax(x, spec.bins_x, 0, 1);
        const Candidate line = strided_argmax(y, spec.bins_y, 0, 1);
        const float mass_x = strided_mass(x, spec.bins_x, column.value, spec.temperature, 0, 1);
        const float mass_y = strided_mass(y, spec.bins_y, line.value, spec.temperature, 0, 1);
        place_of(spec, row, 0, part) = simcc_keypoint(spec, row, column, line, mass_x, mass_y);
    });
}

void widen_on_host(const WidenArguments& spec) noexcept {
    for (std::int64_t i = 0; i < spec.count; ++i) spec.to[i] = float_from(spec.from[i]);
}

}  // namespace fastpose
