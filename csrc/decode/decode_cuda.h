// The decode step as a node of a graph: what a kernel is told, and which one it is.
#pragma once
#include <array>
#include <memory>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "cuda/cuda_calls.h"
#include "cuda/device_tensor.h"
#include "decode/decode_kernel.h"
#include "decode/decoder.h"
#include "decode/paf_decoder.h"
#include "decode/paf_tree_decoder.h"

namespace fastpose {

// The highest local maxima of each map, as many as there are individuals, highest first, of equal ones the
// first in row-major order; those of an index are not one animal's. A cell is a peak if nothing in its window
// is higher or NaN. Positions as a HeatmapDecoder's.
struct PeaksDecoderSpec {
    int bodyparts = 0;
    int map_height = 0, map_width = 0;  // cells
    float stride = 8;                   // tensor px per cell
    float locref_stdev = 0;             // 0: the network has no locref
    ScoreActivation activation = ScoreActivation::none;
    int nms_size = 5;         // side of the window, cells, odd
    float min_score = 0.01F;  // of a peak, before the activation
};

// What lists are made of; see CudaLists.
using PafListsSpec = std::variant<std::monostate, PafDecoderSpec, PafTreeSpec>;

// The maps come to the host as f32, where a CPU decoder reads them. With `lists` these come in the place of
// the outputs that they are made of, which stay on the device; the others follow.
struct HostDecodeSpec {
    std::shared_ptr<Decoder> decoder;
    PafListsSpec lists{};
};

using CudaDecodeSpec =
    std::variant<HeatmapDecoderSpec, SimccDecoderSpec, SoftWindowSpec, PeaksDecoderSpec, HostDecodeSpec>;

// Where a network's outputs lie on the device.
struct DeviceOutput {
    DeviceTensor tensor;
    void* data = nullptr;
};

// Of the pose that is written: (rows, individuals, bodyparts) keypoints on the device.
struct DevicePoses {
    Keypoint* keypoints = nullptr;
    const RowParameters* parameters = nullptr;
    int rows = 1, individuals = 1, bodyparts = 0;
};

using DecodeArguments = std::variant<MapArguments, SimccArguments>;

// A kernel with its arguments, which must live until the node is made.
struct DecodeKernel {
    KernelId kernel = KernelId::count;
    KernelGrid grid;
    DecodeArguments arguments;

    [[nodiscard]] KernelCall call() const noexcept;
};

inline constexpr unsigned kDecodeThreads = 256;  // of a block, which decodes one map

// Throws ConfigError where the decoder's spec, the outputs and the pose do not fit; not for HostDecodeSpec.
[[nodiscard]] DecodeKernel plan_decode(const CudaDecodeSpec& spec, std::span<const DeviceOutput> outputs,
                                       const DevicePoses& poses);
// A network's output as a map; throws ConfigError unless it has this shape.
[[nodiscard]] MapView require_output(std::span<const DeviceOutput> outputs, std::size_t index,
                                     const std::array<int, 4>& wanted);
// Whether it is a HostDecodeSpec.
[[nodiscard]] bool decodes_on_host(const CudaDecodeSpec& spec) noexcept;

// Halves to floats.
[[nodiscard]] KernelCall widen_call(const WidenArguments& arguments) noexcept;

// The twins of the decode kernels; see EmulatedCuda.
void decode_heatmap_on_host(const MapArguments& spec, int rows) noexcept;
void decode_soft_window_on_host(const MapArguments& spec, int rows) noexcept;
void decode_peaks_on_host(const MapArguments& spec, int rows) noexcept;
void decode_simcc_on_host(const SimccArguments& spec, int rows) noexcept;
void widen_on_host(const WidenArguments& spec) noexcept;

}  // namespace fastpose
