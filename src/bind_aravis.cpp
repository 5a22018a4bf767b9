// The extension fastpose._aravis: GenICam cameras. Import fastpose._core first.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include "camera/aravis_camera.h"
#include "camera/aravis_found.h"

namespace py = pybind11;
using namespace py::literals;
using namespace fastpose;

namespace {

using Size = std::array<int, 2>;

AravisSpec make_spec(std::string serial, std::optional<Size> size, std::optional<Size> offset,
                     std::optional<Size> binning, const std::optional<std::string>& pixel_format,
                     std::optional<double> rate_hz, std::optional<double> exposure_us,
                     std::optional<double> gain_db, AravisTrigger trigger, std::optional<bool> ptp,
                     std::vector<AravisFeature> features, int buffers, AravisGige gige) {
    AravisSpec spec;
    spec.serial = std::move(serial);
    spec.size = size;
    spec.offset = offset;
    spec.binning = binning;
    if (pixel_format) spec.pixel_format = pixel_format_from(*pixel_format);
    spec.rate_hz = rate_hz;
    spec.exposure_us = exposure_us;
    spec.gain_db = gain_db;
    spec.trigger = std::move(trigger);
    spec.ptp = ptp;
    spec.features = std::move(features);
    spec.buffers = buffers;
    spec.gige = gige;
    return spec;
}

void bind_spec(py::module_& m) {
    py::class_<AravisTrigger>(m, "Trigger")
        .def(py::init([](std::string source, std::string line, std::string activation) {
                 return AravisTrigger{std::move(source), std::move(line), std::move(activation)};
             }),
             py::kw_only(), "source"_a = "internal", "line"_a = "", "activation"_a = "rising");
    py::class_<AravisGige>(m, "Gige").def(
        py::init([](std::optional<int> packet_size, std::optional<double> packet_delay_us, bool resend,
                    double frame_retention_ms, std::int64_t socket_buffer_bytes,
                    std::optional<bool> packet_socket) {
            return AravisGige{packet_size,        packet_delay_us,     resend,
                              frame_retention_ms, socket_buffer_bytes, packet_socket};
        }),
        py::kw_only(), "packet_size"_a = py::none(), "packet_delay_us"_a = py::none(), "resend"_a = true,
        "frame_retention_ms"_a = AravisGige{}.frame_retention_ms,
        "socket_buffer_bytes"_a = AravisGige{}.socket_buffer_bytes, "packet_socket"_a = py::none());
    py::class_<AravisSpec>(m, "Spec").def(
        py::init(&make_spec), py::kw_only(), "serial"_a = "", "size"_a = py::none(), "offset"_a = py::none(),
        "binning"_a = py::none(), "pixel_format"_a = py::none(), "rate_hz"_a = py::none(),
        "exposure_us"_a = py::none(), "gain_db"_a = py::none(), "trigger"_a = AravisTrigger{},
        "ptp"_a = py::none(), "features"_a = std::vector<AravisFeature>{}, "buffers"_a = AravisSpec{}.buffers,
        "gige"_a = AravisGige{});
}

py::dict as_dict(const AravisFound& found) {
    return py::dict("id"_a = found.id, "serial"_a = found.serial, "vendor"_a = found.vendor,
                    "model"_a = found.model, "protocol"_a = found.protocol, "address"_a = found.address);
}

py::list found() {
    std::vector<AravisFound> cameras;
    {
        py::gil_scoped_release unlocked;
        cameras = find_aravis_cameras();
    }
    py::list list;
    for (const AravisFound& camera : cameras) list.append(as_dict(camera));
    return list;
}

py::dict offer(const std::string& id) {
    AravisOffer offered;
    {
        py::gil_scoped_release unlocked;
        offered = aravis_offer(id);
    }
    py::list formats, rates;
    for (const PixelFormat format : offered.formats) formats.append(std::string(name_of(format)));
    if (offered.highest_hz > 0) rates = py::list(py::make_tuple(offered.lowest_hz, offered.highest_hz));
    return py::dict("formats"_a = py::tuple(formats),
                    "size"_a = py::make_tuple(offered.width, offered.height),
                    "rates_hz"_a = py::tuple(rates));
}

}  // namespace

PYBIND11_MODULE(_aravis, m) {
    m.doc() = "GigE Vision and USB3 Vision cameras through Aravis.";
    py::module_::import("fastpose._core");  // registers Camera and the errors
    m.def("version", &aravis_version);
    m.def("enable_fake", &enable_aravis_fake, "genicam_file"_a = "");
    m.def("found", &found);
    m.def("offer", &offer, "id"_a);
    bind_spec(m);
    py::class_<AravisCamera, Camera, std::shared_ptr<AravisCamera>>(m, "AravisCamera")
        .def_property_readonly("details", &AravisCamera::details);
    m.def(
        "make_camera",
        [](const AravisSpec& spec) { return std::shared_ptr<AravisCamera>(make_aravis_camera(spec)); },
        "spec"_a, py::call_guard<py::gil_scoped_release>());
}
