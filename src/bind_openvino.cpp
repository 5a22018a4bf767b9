// The extension fastpose._openvino: networks on the CPU. Import fastpose._core first.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include "base/error.h"
#include "infer/backend_openvino.h"
#include "infer/group_norm_openvino.h"

namespace py = pybind11;
using namespace fastpose;

// So that OpenVINO elsewhere in Python reads graphs with operations of ours: Core().add_extension(this file).
OPENVINO_CREATE_EXTENSIONS(std::vector<ov::Extension::Ptr>{group_norm_extension()});

PYBIND11_MODULE(_openvino, m) {
    m.doc() = "Networks on the CPU through OpenVINO.";
    py::module_::import("fastpose._core");  // registers Backend and the errors
    m.def("version", &openvino_version);
    m.def(
        "load",
        [](const std::string& path, std::array<int, 4> input_shape, std::vector<std::string> outputs,
           const std::string& precision, int threads, std::optional<bool> pinned,
           const std::string& cache_folder, bool emulated) -> std::shared_ptr<Backend> {
            py::gil_scoped_release unlocked;
            return make_openvino_backend(
                {path, input_shape, std::move(outputs), precision, emulated, threads, pinned, cache_folder});
        },
        py::arg("path"), py::kw_only(), py::arg("input_shape"), py::arg("outputs"),
        py::arg("precision") = "auto", py::arg("threads") = 0, py::arg("pinned") = py::none(),
        py::arg("cache_folder") = "", py::arg("emulated") = false);
}
