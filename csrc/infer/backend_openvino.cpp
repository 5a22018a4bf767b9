// One compiled model, one infer request, tensors that stay where they are.
#include "infer/backend_openvino.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <map>
#include <openvino/openvino.hpp>

#include "base/error.h"
#include "infer/group_norm_openvino.h"
#include "infer/split_outputs_openvino.h"

namespace fastpose {
namespace {

constexpr int warm_up_runs = 3;
constexpr std::chrono::milliseconds warm_up_time{100};  // a slow network is warm after one run

std::string text_of(const ov::PartialShape& shape) { return shape.to_string(); }

ov::PartialShape shape_in(TensorLayout layout, const std::array<int, 4>& nchw) {
    if (layout == TensorLayout::nhwc) return {nchw[0], nchw[2], nchw[3], nchw[1]};
    return {nchw[0], nchw[1], nchw[2], nchw[3]};
}

std::shared_ptr<ov::Model> read(ov::Core& core, const OpenVinoSpec& spec) {
    std::shared_ptr<ov::Model> model;
    try {
        core.add_extension(group_norm_extension());
        model = core.read_model(spec.model_path);
    } catch (const std::exception& error) {
        throw ModelError("cannot read model '" + spec.model_path + "': " + error.what());
    }
    if (model->inputs().size() != 1)
        throw ModelError("model '" + spec.model_path + "' has " + std::to_string(model->inputs().size()) +
                         " inputs: allowed is 1");
    return model;
}

ElementType element_of(const ov::element::Type& type, const OpenVinoSpec& spec) {
    if (type == ov::element::f32) return ElementType::f32;
    if (type == ov::element::u8) return ElementType::u8;
    throw ModelError("model '" + spec.model_path + "' takes input of " + type.get_type_name() +
                     ": allowed are f32, u8");
}

// The layout that the model says; without one, that in which the wanted sizes fit.
TensorLayout layout_of(const ov::Output<ov::Node>& input, const OpenVinoSpec& spec) {
    const ov::Layout layout = ov::layout::get_layout(input);
    if (layout == ov::Layout("NCHW")) return TensorLayout::nchw;
    if (layout == ov::Layout("NHWC")) return TensorLayout::nhwc;
    if (!layout.empty())
        throw ModelError("model '" + spec.model_path + "' takes input in layout " + layout.to_string() +
                         ": allowed are NCHW, NHWC");
    const ov::PartialShape present = input.get_partial_shape();
    if (present.compatible(shape_in(TensorLayout::nchw, spec.input_shape))) return TensorLayout::nchw;
    if (present.compatible(shape_in(TensorLayout::nhwc, spec.input_shape))) return TensorLayout::nhwc;
    return TensorLayout::nchw;
}

// Fixes the input's shape to the wanted sizes.
TensorFormat plan_input(ov::Model& model, const OpenVinoSpec& spec) {
    const ov::Output<ov::Node> input = model.input();
    const TensorFormat format{element_of(input.get_element_type(), spec), layout_of(input, spec)};
    const ov::PartialShape present = input.get_partial_shape();
    const ov::PartialShape wanted = shape_in(format.layout, spec.input_shape);
    if (!present.compatible(wanted))
        throw ModelError("model '" + spec.model_path + "' takes input " + text_of(present) + ", asked for " +
                         text_of(wanted));
    model.reshape(wanted);
    return format;
}

// What OpenVINO is asked for: a type of floats, or nothing where the choice is its.
std::optional<ov::element::Type> wanted_type(const OpenVinoSpec& spec) {
    if (spec.precision == "fp32") return ov::element::f32;
    if (spec.precision == "bf16") return ov::element::bf16;
    return std::nullopt;
}

void require_bf16(ov::Core& core) {
    const auto capabilities = core.get_property("CPU", ov::device::capabilities);
    if (std::find(capabilities.begin(), capabilities.end(), "BF16") == capabilities.end())
        throw DeviceError("precision bf16: this CPU has no bf16 instructions; use fp32 or auto");
}

// A hint is a wish: where OpenVINO has no kernels for it, it computes in f32 and says so only here.
void require_granted(const ov::CompiledModel& compiled, const OpenVinoSpec& spec) {
    const std::optional<ov::element::Type> wanted = wanted_type(spec);
    const ov::element::Type granted = compiled.get_property(ov::hint::inference_precision);
    if (wanted && granted != *wanted)
        throw DeviceError("precision " + spec.precision + ": OpenVINO computes in " +
                          granted.get_type_name() + " on this CPU; use fp32 or auto");
}

ov::AnyMap properties(ov::Core& core, const OpenVinoSpec& spec) {
    ov::AnyMap map{ov::hint::performance_mode(ov::hint::PerformanceMode::LATENCY), ov::num_streams(1)};
    if (spec.threads > 0) map.insert(ov::inference_num_threads(spec.threads));
    if (spec.pinned) map.insert(ov::hint::enable_cpu_pinning(*spec.pinned));
    if (!spec.cache_folder.empty()) map.insert(ov::cache_dir(spec.cache_folder));
    if (spec.precision == "bf16" && !spec.emulated) require_bf16(core);
    if (const auto wanted = wanted_type(spec)) map.insert(ov::hint::inference_precision(*wanted));
    return map;
}

std::array<int, 4> four_dimensions(const ov::Shape& shape) {
    std::array<int, 4> four{1, 1, 1, 1};
    std::transform(shape.rbegin(), shape.rend(), four.rbegin(),
                   [](std::size_t size) { return static_cast<int>(size); });
    return four;
}

std::vector<std::string> names_of(const ov::Model& model) {
    std::vector<std::string> names;
    for (const auto& output : model.outputs()) names.push_back(output.get_any_name());
    return names;
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

// As `fastpose optimize` writes it into the graph.
float number_of(const ov::Model& model, const char* name) {
    if (!model.has_rt_info("fastpose", name)) return 0;
    return std::stof(model.get_rt_info<std::string>("fastpose", name));
}

class OpenVinoBackend final : public Backend {
  public:
    explicit OpenVinoBackend(const OpenVinoSpec& spec)
        : input_shape_(spec.input_shape), quantised_(spec.precision == "int8") {
        const std::shared_ptr<ov::Model> model = read(core_, spec);
        const std::vector<std::string> names = spec.outputs.empty() ? names_of(*model) : spec.outputs;
        input_.format = plan_input(*model, spec);
        counts_ = {number_of(*model, "input_step"), number_of(*model, "input_zero")};
        replace_group_normalizations(model);
        parts_ = take_out_splits(model);
        compiled_ = core_.compile_model(model, "CPU", properties(core_, spec));
        require_granted(compiled_, spec);
        request_ = compiled_.create_infer_request();
        input_.data = request_.get_input_tensor().data();
        for (const std::string& name : names) bind_output(name);
        run_until_warm();
        fetch_dynamic_outputs();
    }

    [[nodiscard]] std::array<int, 4> input_shape() const noexcept override { return input_shape_; }
    [[nodiscard]] InputView input() noexcept override { return input_; }
    [[nodiscard]] InputCounts input_counts() const noexcept override { return counts_; }
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
        const std::string floats = granted().precision;
        return "OpenVINO " + openvino_version() + ", CPU, " + (quantised_ ? "int8 and " + floats : floats);
    }

    [[nodiscard]] Granted granted() const override {
        return {compiled_.get_property(ov::hint::inference_precision).get_type_name(),
                compiled_.get_property(ov::inference_num_threads),
                compiled_.get_property(ov::hint::enable_cpu_pinning),
                compiled_.get_property(ov::loaded_from_cache)};
    }

  private:
    // On zeros: what new memory holds may be denormal numbers, with which a network takes three times as
    // long.
    void run_until_warm() {
        ov::Tensor seen = request_.get_input_tensor();
        std::memset(seen.data(), 0, seen.get_byte_size());
        const auto until = std::chrono::steady_clock::now() + warm_up_time;
        for (int i = 0; i < warm_up_runs && (i == 0 || std::chrono::steady_clock::now() < until); ++i)
            request_.infer();
    }

    // The request allocates its outputs once; binding tensors of ours keeps them at fixed addresses. Those
    // whose size depends on the content (a detector's) are fetched after each run.
    void bind_output(const std::string& name) {
        const auto part = parts_.find(name);
        if (part != parts_.end()) return bind_part(part->second);
        const ov::Output<const ov::Node> port = find_output(name);
        check(port, name);
        if (port.get_partial_shape().is_dynamic()) {
            dynamic_.emplace_back(views_.size(), port);
            views_.emplace_back();
            return;
        }
        views_.push_back({tensor_of(name), four_dimensions(port.get_shape())});
    }

    void bind_part(const OutputPart& part) {
        const ov::Output<const ov::Node> port = find_output(part.whole);
        check(port, part.whole);
        std::array<int, 4> shape = four_dimensions(port.get_shape());
        const auto pixels = static_cast<std::size_t>(shape[2]) * static_cast<std::size_t>(shape[3]);
        shape[1] = static_cast<int>(part.channels);
        views_.push_back({tensor_of(part.whole) + part.first * pixels, shape});
    }

    const float* tensor_of(const std::string& name) {
        const auto known = tensors_.find(name);
        if (known != tensors_.end()) return known->second.data<float>();
        const ov::Output<const ov::Node> port = find_output(name);
        ov::Tensor tensor(ov::element::f32, port.get_shape());
        request_.set_tensor(port, tensor);
        return tensors_.emplace(name, std::move(tensor)).first->second.data<float>();
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
    bool quantised_;
    InputView input_;
    InputCounts counts_;
    std::map<std::string, OutputPart> parts_;
    std::map<std::string, ov::Tensor> tensors_;
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
