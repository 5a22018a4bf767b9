// Networks on the CPU through OpenVINO.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "infer/backend.h"

namespace fastpose {

struct OpenVinoSpec {
    std::string model_path;            // ONNX or OpenVINO IR
    std::array<int, 4> input_shape{};  // (N, C, H, W) to which the network is fixed, whatever its layout
    std::vector<std::string> outputs;  // names, in the order the decoder wants; empty: the model's order
    std::string precision =
        "auto";                  // auto | fp32 | bf16 | int8: what the quantised file says, the rest as auto
    bool emulated = false;       // bf16 also where the CPU lacks its instructions: to measure, slow
    int threads = 0;             // 0: OpenVINO decides
    std::optional<bool> pinned;  // threads stay on their cores; none: OpenVINO decides
    std::string cache_folder;    // keeps what was compiled, under names of OpenVINO's; empty: nowhere
};

// Compiles and warms up. Element type (f32, u8) and layout (NCHW, NHWC) of the input are the model's own.
// Throws ModelError (file, shape, input type or layout, output names) or DeviceError (the CPU lacks the
// precision, or the runtime computes in another one).
[[nodiscard]] std::unique_ptr<Backend> make_openvino_backend(const OpenVinoSpec& spec);
[[nodiscard]] std::string openvino_version();

}  // namespace fastpose
