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
    std::array<int, 4> input_shape{};  // (N, C, H, W) to which the network is fixed
    std::vector<std::string> outputs;  // names, in the order the decoder wants; empty: the model's order
    std::string precision = "auto";    // auto | fp32 | bf16
    int threads = 0;                   // 0: OpenVINO decides
    std::optional<bool> pinned;        // threads stay on their cores; none: OpenVINO decides
};

// Compiles and warms up. Throws ModelError (file, shape, output names) or DeviceError (precision not to be
// had).
[[nodiscard]] std::unique_ptr<Backend> make_openvino_backend(const OpenVinoSpec& spec);
[[nodiscard]] std::string openvino_version();

}  // namespace fastpose
