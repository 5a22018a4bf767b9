// Backends: the interface for runtimes in modules of their own, and the fake one.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <cstring>

#include "bindings.h"
#include "infer/fake_backend.h"
#include "infer/timing.h"
#include "tensors.h"

namespace py = pybind11;
using namespace fastpose;

namespace {

using FloatArray = py::array_t<float, py::array::c_style | py::array::forcecast>;

std::shared_ptr<Backend> fake(std::array<int, 4> input_shape, const std::vector<FloatArray>& outputs,
                              const std::string& element, const std::string& layout) {
    std::vector<FakeOutput> stored;
    for (const FloatArray& output : outputs) {
        if (output.ndim() != 4) throw py::value_error("a stored output has 4 dimensions: results, C, H, W");
        FakeOutput one;
        one.shape = {input_shape[0], static_cast<int>(output.shape(1)), static_cast<int>(output.shape(2)),
                     static_cast<int>(output.shape(3))};
        one.values.assign(output.data(), output.data() + output.size());
        stored.push_back(std::move(one));
    }
    return make_fake_backend(input_shape, std::move(stored), tensor_format_from(element, layout));
}

py::array_t<float> copy_of(const TensorView& view) {
    py::array_t<float> array(view.shape);
    std::copy_n(view.data, view.size(), array.mutable_data());
    return array;
}

// An input for floats is converted to them; bytes must be bytes, or values were lost.
py::array in_format(const py::array& input, TensorFormat format) {
    if (format.element == ElementType::f32) return FloatArray(input);
    require_format("input", input, format);
    return input;
}

py::list run(Backend& backend, const py::array& array) {
    const InputView target = backend.input();
    const py::array input = in_format(array, target.format);
    const std::array<int, 4> shape = backend.input_shape();
    if (static_cast<std::size_t>(input.size()) != TensorView{nullptr, shape}.size())
        throw py::value_error("input has " + std::to_string(input.size()) + " values: the network takes " +
                              std::to_string(TensorView{nullptr, shape}.size()));
    std::memcpy(target.data, input.data(), static_cast<std::size_t>(input.nbytes()));
    bool good = false;
    {
        py::gil_scoped_release unlocked;
        good = backend.run();
    }
    if (!good) throw std::runtime_error(backend.last_error());
    py::list outputs;
    for (const TensorView& view : backend.outputs()) outputs.append(copy_of(view));
    return outputs;
}

}  // namespace

void bind_infer(py::module_& m) {
    py::class_<Backend, std::shared_ptr<Backend>>(m, "Backend", "A network with static shapes on one device.")
        .def_property_readonly("input_shape", &Backend::input_shape)
        .def_property_readonly(
            "input_format", [](Backend& b) { return names_of(b.input().format); },
            "Element, f32 or u8, and layout, nchw or nhwc.")
        .def_property_readonly(
            "input_counts",
            [](const Backend& b) {
                const InputCounts counts = b.input_counts();
                return std::pair(counts.step, counts.zero);
            },
            "What a count of an input of bytes means: step and place of zero; step 0: a grey level.")
        .def_property_readonly("output_shapes",
                               [](const Backend& b) {
                                   std::vector<std::array<int, 4>> shapes;
                                   for (const TensorView& view : b.outputs()) shapes.push_back(view.shape);
                                   return shapes;
                               })
        .def_property_readonly("description", &Backend::description)
        .def_property_readonly("granted",
                               [](const Backend& b) {
                                   const Granted granted = b.granted();
                                   return py::dict(py::arg("precision") = granted.precision,
                                                   py::arg("threads") = granted.threads,
                                                   py::arg("pinned") = granted.pinned,
                                                   py::arg("cached") = granted.cached);
                               })
        .def("run", &run, py::arg("input"),
             "Copies the input, in input_format, in; runs; copies the outputs out.")
        .def("time_runs", &time_runs, py::arg("runs"), py::call_guard<py::gil_scoped_release>(),
             "Durations of inferences one after the other, ns.");
    m.def("fake_backend", &fake, py::arg("input_shape"), py::arg("outputs"), py::kw_only(),
          py::arg("element") = "f32", py::arg("layout") = "nchw");
}
