// V4L2 devices: what they offer, and their driver.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include "base/error.h"
#include "bindings.h"
#include "camera/v4l2_camera.h"

namespace py = pybind11;
using namespace py::literals;
using namespace fastpose;

namespace {

py::dict as_dict(const V4l2Size& size) {
    return py::dict("size"_a = py::make_tuple(size.width, size.height), "rates_hz"_a = size.rates_hz);
}

py::dict as_dict(const V4l2Format& format) {
    py::list sizes;
    for (const V4l2Size& size : format.sizes) sizes.append(as_dict(size));
    return py::dict("fourcc"_a = format.fourcc, "pixel_format"_a = format.pixel_format, "sizes"_a = sizes);
}

py::dict as_dict(const V4l2Control& control) {
    return py::dict("name"_a = control.name, "minimum"_a = control.minimum, "maximum"_a = control.maximum,
                    "step"_a = control.step, "default"_a = control.standard, "value"_a = control.value,
                    "writable"_a = control.writable, "inactive"_a = control.inactive,
                    "menu"_a = control.menu);
}

py::dict describe(const std::string& path) {
    V4l2Description found;
    {
        py::gil_scoped_release unlocked;
        found = describe_v4l2(path);
    }
    py::list formats, controls;
    for (const V4l2Format& format : found.formats) formats.append(as_dict(format));
    for (const V4l2Control& control : found.controls) controls.append(as_dict(control));
    return py::dict("path"_a = found.path, "card"_a = found.card, "driver"_a = found.driver,
                    "bus"_a = found.bus, "formats"_a = formats, "controls"_a = controls);
}

py::dict settings_of(const V4l2Camera& camera) {
    const V4l2Settings& s = camera.settings();
    py::dict controls;
    for (const auto& [name, value] : s.controls) controls[py::str(name)] = value;
    return py::dict("path"_a = s.path, "card"_a = s.card, "driver"_a = s.driver, "bus"_a = s.bus,
                    "fourcc"_a = s.fourcc, "user_memory"_a = s.user_memory, "why_copied"_a = s.why_copied,
                    "controls"_a = controls);
}

V4l2Memory memory_from(const std::string& name) {
    if (name == "auto") return V4l2Memory::automatic;
    if (name == "userptr") return V4l2Memory::userptr;
    if (name == "mmap") return V4l2Memory::mmap;
    throw ConfigError("memory '" + name + "': allowed are auto, userptr, mmap");
}

using Size = std::pair<int, int>;  // width, height; px
using Values = std::vector<std::pair<std::string, std::int64_t>>;

std::shared_ptr<V4l2Camera> make(std::string path, const std::optional<std::string>& pixel_format, bool mjpg,
                                 std::optional<Size> size, std::optional<double> rate_hz,
                                 std::optional<double> exposure_us, Values controls,
                                 const std::string& memory, int buffers) {
    V4l2Spec spec;
    spec.path = std::move(path);
    if (pixel_format) spec.pixel_format = pixel_format_from(*pixel_format);
    spec.mjpg = mjpg;
    if (size) std::tie(spec.width, spec.height) = *size;
    spec.rate_hz = rate_hz;
    spec.exposure_us = exposure_us;
    spec.controls = std::move(controls);
    spec.memory = memory_from(memory);
    spec.buffers = buffers;
    py::gil_scoped_release unlocked;
    return make_v4l2_camera(spec);
}

}  // namespace

void bind_v4l2(py::module_& m) {
    py::class_<V4l2Camera, Camera, std::shared_ptr<V4l2Camera>>(m, "V4l2Camera", "A V4L2 device, set up.")
        .def_property_readonly("settings", &settings_of, "What was really set, read back.");
    m.def("v4l2_describe", &describe, "path"_a, "What a device offers; it is open only meanwhile.");
    m.def("make_v4l2_camera", &make, py::kw_only(), "path"_a, "pixel_format"_a = py::none(), "mjpg"_a = false,
          "size"_a = py::none(), "rate_hz"_a = py::none(), "exposure_us"_a = py::none(),
          "controls"_a = Values{}, "memory"_a = "auto", "buffers"_a = 8);
}
