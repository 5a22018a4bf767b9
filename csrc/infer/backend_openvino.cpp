// One compiled model, one infer request, tensors that stay where they are.
#include "infer/backend_openvino.h"

#include <algorithm>
#include <cstdio>
#include <openvino/openvino.hpp>

#include "base/error.h"

namespace fastpose {
namespace {

constexpr int warm_up_runs = 3;

std::string text_of(const ov::PartialShape& shape) { return shape.to_string(); }

std::shared_ptr<ov::Model> read(ov::Core& core, const OpenVinoSpec& spec) {
    std::shared_ptr<ov::Model> model;
    try {
        model = core.read_model(spec.model_path);
    } catch (const std::exception& error) {
        throw ModelError("cannot read model '" + spec.model_path + "': " + error.what());
    }
    if (model->inputs().size() != 1)
        throw ModelError("model '" + spec.model_path + "' has " + std::to_string(model->inputs().size()) +
                         " inputs: allowed is 1");
    const ov::PartialShape present = model->input().get_partial_shape();
    ov::PartialShape wanted;
    for (const int size : spec.input_shape) wanted.push_back(size);
    if (!present.compatible(wanted))
        throw ModelError("model '" + spec.model_path + "' takes input " + text_of(present) + ", asked for " +
                         text_of(wanted));
    model->reshape(wanted);
    return model;
}

ov::AnyMap properties(ov::Core& core, const OpenVinoSpec& spec) {
    ov::AnyMap map{ov::hint::performance_mode(ov::hint::PerformanceMode::LATENCY), ov::num_streams(1)};
    if (spec.threads > 0) map.insert(ov::inference_num_threads(spec.threads));
    if (spec.pinned) map.insert(ov::hint::enable_cpu_pinning(*spec.pinned));
    if (spec.precision == "fp32") map.insert(ov::hint::inference_precision(ov::element::f32));
    if (spec.precision == "bf16") {
        const auto capabilities = core.get_property("CPU", ov::device::capabilities);
        if (std::find(capabilities.begin(), capabilities.end(), "BF16") == capabilities.end())
            throw DeviceError("precision bf16: this CPU has no bf16 instructions; use fp32 or auto");
        map.insert(ov::hint::inference_precision(ov::element::bf16));
    }
    return map;
}

std::array<int, 4> four_dimensions(const ov::Shape& shape) {
    std::array<int, 4> four{1, 1, 1, 1};
    std::transform(shape.rbegin(), shape.rend(), four.rbegin(),
                   [](std::size_t size) { return static_cast<int>(size); });
    return four;
}

void check(const ov::Output<const ov::Node>& port, const std::string& name) {
    const ov::Rank rank = port.get_partial_shape().rank();
    if (rank.is_dynamic() || rank.get_length() > 4)
        throw ModelError("output '" + name + "' has shape " + text_of(port.get_partial_shape()) +
                         ": allowed are at most 4 dimensions");
    if (port.get_element_type() != ov::element::f32)
        throw ModelError("output '" + name + "' holds " + port.get_element_type().get_type_name() +
                         ": allowed is f32");
}

class OpenVinoBackend final : public Backend {
  public:
    explicit OpenVinoBackend(const OpenVinoSpec& spec) : input_shape_(spec.input_shape) {
        const std::shared_ptr<ov::Model> model = read(core_, spec);
        compiled_ = core_.compile_model(model, "CPU", properties(core_, spec));
        request_ = compiled_.create_infer_request();
        input_ = request_.get_input_tensor().data<float>();
        bind_outputs(spec);
        for (int i = 0; i < warm_up_runs; ++i) request_.infer();
        fetch_dynamic_outputs();
    }

    [[nodiscard]] std::array<int, 4> input_shape() const noexcept override { return input_shape_; }
    [[nodiscard]] float* input() noexcept override { return input_; }
    [[nodiscard]] std::span<const TensorView> outputs() const noexcept override { return views_; }
    [[nodiscard]] const char* last_error() const noexcept override { return error_; }

    [[nodiscard]] bool run() noexcept override {
        try {
            request_.infer();
            fetch_dynamic_outputs();
            return true;
        } catch (const std::exception& error) {
            std::snprintf(error_, sizeof error_, "%s", error.what());
            return false;
        }
    }

    [[nodiscard]] std::string description() const override {
        return "OpenVINO " + openvino_version() + ", CPU, " +
               compiled_.get_property(ov::hint::inference_precision).get_type_name();
    }

  private:
    // The request allocates its outputs once; binding tensors of ours keeps them at fixed addresses. Those
    // whose size depends on the content (a detector's) are fetched after each run.
    void bind_outputs(const OpenVinoSpec& spec) {
        std::vector<std::string> names = spec.outputs;
        if (names.empty())
            for (const auto& output : compiled_.outputs()) names.push_back(output.get_any_name());
        for (const std::string& name : names) {
            const ov::Output<const ov::Node> port = find_output(name);
            check(port, name);
            if (port.get_partial_shape().is_dynamic()) {
                dynamic_.emplace_back(views_.size(), port);
                views_.emplace_back();
                continue;
            }
            ov::Tensor tensor(ov::element::f32, port.get_shape());
            request_.set_tensor(port, tensor);
            views_.push_back({tensor.data<float>(), four_dimensions(port.get_shape())});
            tensors_.push_back(std::move(tensor));
        }
    }

    void fetch_dynamic_outputs() {
        for (const auto& [index, port] : dynamic_) {
            const ov::Tensor tensor = request_.get_tensor(port);
            views_[index] = {tensor.data<float>(), four_dimensions(tensor.get_shape())};
        }
    }

    [[nodiscard]] ov::Output<const ov::Node> find_output(const std::string& name) const {
        std::string present;
        for (const auto& output : compiled_.outputs()) {
            if (output.get_names().contains(name)) return output;
            present += (present.empty() ? "" : ", ") + output.get_any_name();
        }
        throw ModelError("the model has no output '" + name + "': it has " + present);
    }

    ov::Core core_;
    ov::CompiledModel compiled_;
    ov::InferRequest request_;
    std::array<int, 4> input_shape_;
    float* input_ = nullptr;
    std::vector<ov::Tensor> tensors_;
    std::vector<TensorView> views_;
    std::vector<std::pair<std::size_t, ov::Output<const ov::Node>>> dynamic_;  // place in views_, port
    char error_[256] = "";
};

}  // namespace

std::unique_ptr<Backend> make_openvino_backend(const OpenVinoSpec& spec) {
    try {
        return std::make_unique<OpenVinoBackend>(spec);
    } catch (const ov::Exception& error) {
        throw ModelError("OpenVINO refuses model '" + spec.model_path + "': " + error.what());
    }
}

std::string openvino_version() { return ov::get_openvino_version().buildNumber; }

}  // namespace fastpose
