// Order matters: what limits something else is set before it.
#include "camera/aravis_settings.h"

#include <cmath>
#include <string_view>

#include "camera/aravis_pixels.h"

namespace fastpose::aravis {
namespace {

constexpr double rate_tolerance = 0.01;  // periods of whole microseconds do not give every rate

std::string number(double value) {
    std::string text = std::to_string(value);
    text.erase(text.find_last_not_of('0') + 1);
    if (text.back() == '.') text.pop_back();
    return text;
}

[[noreturn]] void refuse(const std::string& key, const std::string& value, const std::string& allowed) {
    throw CameraError(key + " is " + value + "; this camera allows " + allowed);
}

void set_feature(ArvCamera* camera, const AravisFeature& feature) {
    const char* name = feature.first.c_str();
    const std::string what = "features." + feature.first;
    if (!has(camera, name)) throw CameraError(what + ": this camera has no such feature; see its manual");
    if (ARV_IS_GC_COMMAND(arv_device_get_feature(arv_camera_get_device(camera), name)))
        return ask(what, arv_camera_execute_command, camera, name);
    if (const auto* yes = std::get_if<bool>(&feature.second))
        return ask(what, arv_camera_set_boolean, camera, name, static_cast<gboolean>(*yes));
    if (const auto* integer = std::get_if<std::int64_t>(&feature.second))
        return ARV_IS_GC_FLOAT(arv_device_get_feature(arv_camera_get_device(camera), name))
                   ? ask(what, arv_camera_set_float, camera, name, static_cast<double>(*integer))
                   : ask(what, arv_camera_set_integer, camera, name, static_cast<gint64>(*integer));
    if (const auto* real = std::get_if<double>(&feature.second))
        return ask(what, arv_camera_set_float, camera, name, *real);
    ask(what, arv_camera_set_string, camera, name, std::get<std::string>(feature.second).c_str());
}

void set_pixel_format(ArvCamera* camera, PixelFormat format) {
    const std::string name(name_of(format));
    const auto wanted = pixel_code(format);
    const std::vector<PixelFormat> offered = pixel_formats(camera);
    std::string list;
    for (const PixelFormat one : offered) {
        if (one == format) return ask("pixel_format " + name, arv_camera_set_pixel_format, camera, wanted);
        list += (list.empty() ? "" : ", ") + std::string(name_of(one));
    }
    refuse("pixel_format", name, list.empty() ? "none that fastpose reads" : list);
}

void set_binning(ArvCamera* camera, const std::array<int, 2>& binning) {
    if (binning == std::array{1, 1} && !ask_or(FALSE, arv_camera_is_binning_available, camera)) return;
    ask("binning " + number(binning[0]) + "x" + number(binning[1]), arv_camera_set_binning, camera,
        binning[0], binning[1]);
}

using Bounds = void (*)(ArvCamera*, gint*, gint*, GError**);
using Increment = gint (*)(ArvCamera*, GError**);

void require_pixels(ArvCamera* camera, const char* key, int value, Bounds bounds, Increment increment) {
    gint low = 0, high = 0;
    ask(key, bounds, camera, &low, &high);
    const int step = std::max(1, ask_or(1, increment, camera));
    if (value >= low && value <= high && (value - low) % step == 0) return;
    refuse(key, number(value), number(low) + " to " + number(high) + " in steps of " + number(step));
}

void set_size(ArvCamera* camera, const std::array<int, 2>& size) {
    require_pixels(camera, "size: width", size[0], arv_camera_get_width_bounds,
                   arv_camera_get_width_increment);
    require_pixels(camera, "size: height", size[1], arv_camera_get_height_bounds,
                   arv_camera_get_height_increment);
    ask("size", arv_camera_set_region, camera, -1, -1, size[0], size[1]);
}

void set_offset(ArvCamera* camera, const std::array<int, 2>& offset) {
    require_pixels(camera, "offset: x", offset[0], arv_camera_get_x_offset_bounds,
                   arv_camera_get_x_offset_increment);
    require_pixels(camera, "offset: y", offset[1], arv_camera_get_y_offset_bounds,
                   arv_camera_get_y_offset_increment);
    ask("offset", arv_camera_set_region, camera, offset[0], offset[1], -1, -1);
}

void set_region(ArvCamera* camera, const AravisSpec& spec) {
    if (!spec.size && !spec.offset) return;
    const bool moves = ask_or(FALSE, arv_camera_is_region_offset_available, camera) != FALSE;
    // The offset limits the size and the size the offset: from the corner everything can be reached.
    if (moves && spec.size) ask("offset 0, 0", arv_camera_set_region, camera, 0, 0, -1, -1);
    if (spec.size) set_size(camera, *spec.size);
    if (spec.offset && !moves) refuse("offset", "given", "none");
    if (spec.offset) set_offset(camera, *spec.offset);
}

void set_trigger_activation(ArvCamera* camera, const std::string& activation) {
    const char* name = activation == "falling" ? "FallingEdge" : "RisingEdge";
    ask("camera_trigger: activation " + activation, arv_camera_set_string, camera, "TriggerActivation", name);
}

void set_trigger(ArvCamera* camera, const AravisTrigger& trigger) {
    if (trigger.source == "internal") {
        if (has(camera, "TriggerMode")) ask("camera_trigger", arv_camera_clear_triggers, camera);
        return;
    }
    const std::string source = trigger.source == "software" ? "Software" : trigger.line;
    guint count = 0;
    const Owned<const char*> sources(
        ask("camera_trigger", arv_camera_dup_available_trigger_sources, camera, &count));
    std::string list;
    for (guint i = 0; i < count; ++i) {
        list += (i == 0 ? "" : ", ") + std::string(sources.get()[i]);
        if (source != sources.get()[i]) continue;
        ask("camera_trigger " + source, arv_camera_set_trigger, camera, source.c_str());
        if (trigger.source == "external_edge") set_trigger_activation(camera, trigger.activation);
        return;
    }
    refuse("camera_trigger: source", source, list.empty() ? "internal only" : list);
}

using FloatBounds = void (*)(ArvCamera*, double*, double*, GError**);

void require_range(ArvCamera* camera, const char* key, double value, FloatBounds bounds) {
    double low = 0, high = 0;
    ask(key, bounds, camera, &low, &high);
    if (value < low || value > high) refuse(key, number(value), number(low) + " to " + number(high));
}

void set_exposure(ArvCamera* camera, double exposure_us) {
    if (ask_or(FALSE, arv_camera_is_exposure_auto_available, camera))
        ask("automatic exposure off", arv_camera_set_exposure_time_auto, camera, ARV_AUTO_OFF);
    require_range(camera, "exposure_us", exposure_us, arv_camera_get_exposure_time_bounds);
    ask("exposure_us " + number(exposure_us), arv_camera_set_exposure_time, camera, exposure_us);
}

void set_gain(ArvCamera* camera, double gain_db) {
    if (!ARV_IS_GC_FLOAT(arv_device_get_feature(arv_camera_get_device(camera), "Gain")))
        throw CameraError("gain_db is " + number(gain_db) +
                          "; this camera knows no gain in dB: leave it out and set features: {GainRaw: ...}");
    if (ask_or(FALSE, arv_camera_is_gain_auto_available, camera))
        ask("automatic gain off", arv_camera_set_gain_auto, camera, ARV_AUTO_OFF);
    require_range(camera, "gain_db", gain_db, arv_camera_get_gain_bounds);
    ask("gain_db " + number(gain_db), arv_camera_set_gain, camera, gain_db);
}

void set_rate(ArvCamera* camera, double rate_hz) {
    if (!ask_or(FALSE, arv_camera_is_frame_rate_available, camera))
        refuse("rate_hz", number(rate_hz), "no rate of its own: use camera_trigger");
    require_range(camera, "rate_hz", rate_hz, arv_camera_get_frame_rate_bounds);
    ask("rate_hz " + number(rate_hz), arv_camera_set_frame_rate, camera, rate_hz);
}

void set_ptp(ArvCamera* camera, bool on) {
    for (const char* name : {"PtpEnable", "GevIEEE1588"})
        if (has(camera, name)) return ask("ptp", arv_camera_set_boolean, camera, name, on ? TRUE : FALSE);
    if (on) refuse("ptp", "true", "none: it has no PTP; leave ptp out");
}

void set_gige(ArvCamera* camera, const AravisGige& gige) {
    if (gige.packet_delay_us)
        ask("gige.packet_delay_us", arv_camera_gv_set_packet_delay, camera,
            static_cast<gint64>(std::llround(*gige.packet_delay_us * 1e3)));
    if (!gige.packet_size) return;
    arv_camera_gv_set_packet_size_adjustment(camera, ARV_GV_PACKET_SIZE_ADJUSTMENT_NEVER);
    ask("gige.packet_size " + number(*gige.packet_size), arv_camera_gv_set_packet_size, camera,
        *gige.packet_size);
}

// What the camera says that it manages with this exposure, region and link; 0: it does not say.
double resulting_rate(ArvCamera* camera) {
    for (const char* name : {"AcquisitionResultingFrameRate", "ResultingFrameRate", "ResultingFrameRateAbs"})
        if (has(camera, name)) return ask_or(0.0, arv_camera_get_float, camera, name);
    return 0;
}

double read_rate(ArvCamera* camera, const AravisSpec& spec) {
    if (spec.trigger.source != "internal" && spec.rate_hz) return *spec.rate_hz;
    const double set_hz = ask("rate_hz", arv_camera_get_frame_rate, camera);
    const double resulting_hz = resulting_rate(camera);
    const double rate_hz = resulting_hz > 0 ? std::min(set_hz, resulting_hz) : set_hz;
    const double asked_hz = spec.rate_hz.value_or(rate_hz);
    if (std::abs(rate_hz - asked_hz) > rate_tolerance * asked_hz)
        refuse("rate_hz", number(asked_hz),
               number(rate_hz) + " with this size, exposure and link: ask for that, or for less of them");
    return rate_hz;
}

void read_size(ArvCamera* camera, CameraInfo& info) {
    gint x = 0, y = 0;
    ask("size", arv_camera_get_region, camera, &x, &y, &info.width, &info.height);
}

// Bytes of a row where the camera pads it; 0: densely packed.
std::int64_t read_stride(ArvCamera* camera, const CameraInfo& info) {
    const auto packed = static_cast<std::int64_t>(row_bytes(info.format, info.width));
    if (!has(camera, "LinePitch")) return 0;
    const std::int64_t pitch = ask_or<std::int64_t>(0, arv_camera_get_integer, camera, "LinePitch");
    return pitch > packed ? pitch : 0;
}

void require_size(const CameraInfo& info, const AravisSpec& spec) {
    if (spec.size && *spec.size != std::array{info.width, info.height})
        refuse("size", number((*spec.size)[0]) + "x" + number((*spec.size)[1]),
               number(info.width) + "x" + number(info.height));
}

}  // namespace

void apply(ArvCamera* camera, const AravisSpec& spec) {
    ask("acquisition stop", arv_camera_stop_acquisition, camera);  // a program that died may have left it on
    for (const AravisFeature& feature : spec.features) set_feature(camera, feature);
    if (has(camera, "AcquisitionMode"))
        ask("acquisition mode", arv_camera_set_acquisition_mode, camera, ARV_ACQUISITION_MODE_CONTINUOUS);
    if (spec.pixel_format) set_pixel_format(camera, *spec.pixel_format);
    if (spec.binning) set_binning(camera, *spec.binning);
    set_region(camera, spec);
    set_trigger(camera, spec.trigger);
    if (spec.exposure_us) set_exposure(camera, *spec.exposure_us);
    if (spec.gain_db) set_gain(camera, *spec.gain_db);
    if (spec.rate_hz && spec.trigger.source == "internal") set_rate(camera, *spec.rate_hz);
    if (spec.ptp) set_ptp(camera, *spec.ptp);
    if (arv_camera_is_gv_device(camera)) set_gige(camera, spec.gige);
}

CameraInfo read_back(ArvCamera* camera, const AravisSpec& spec) {
    CameraInfo info{.format = pixel_format_of(camera)};
    read_size(camera, info);
    require_size(info, spec);
    info.rate_hz = read_rate(camera, spec);
    info.exposure_ns = std::llround(1e3 * ask_or(0.0, arv_camera_get_exposure_time, camera));
    info.stride_bytes = read_stride(camera, info);
    info.buffer_bytes = ask("payload", arv_camera_get_payload, camera);
    return info;
}

}  // namespace fastpose::aravis
