// C++ errors become the Python errors of the same name in fastpose.errors.
#include <pybind11/pybind11.h>

#include "base/error.h"
#include "bindings.h"

namespace py = pybind11;
using namespace fastpose;

namespace {

void raise_as(const char* name, const std::exception& error) {
    const py::object type = py::module_::import("fastpose.errors").attr(name);
    PyErr_SetString(type.ptr(), error.what());
}

// Most derived first.
const char* name_of_error(const FastposeError& error) {
    if (dynamic_cast<const ConfigError*>(&error) != nullptr) return "ConfigError";
    if (dynamic_cast<const CameraTimeout*>(&error) != nullptr) return "CameraTimeout";
    if (dynamic_cast<const CameraDisconnected*>(&error) != nullptr) return "CameraDisconnected";
    if (dynamic_cast<const CameraError*>(&error) != nullptr) return "CameraError";
    if (dynamic_cast<const ModelError*>(&error) != nullptr) return "ModelError";
    if (dynamic_cast<const DeviceError*>(&error) != nullptr) return "DeviceError";
    if (dynamic_cast<const OutputError*>(&error) != nullptr) return "OutputError";
    if (dynamic_cast<const RecordError*>(&error) != nullptr) return "RecordError";
    return "FastposeError";
}

}  // namespace

void bind_errors() {
    py::register_exception_translator([](std::exception_ptr pointer) {
        try {
            if (pointer) std::rethrow_exception(pointer);
        } catch (const FastposeError& error) {
            raise_as(name_of_error(error), error);
        }
    });
}
