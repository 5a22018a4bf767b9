// Checks of what a user asks of the simulated camera.
#include "camera/sim_spec.h"

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <sstream>
#include <string_view>

#include "base/error.h"

namespace fastpose {
namespace {

void require_in(std::string_view field, double value, double low, double high) {
    if (value >= low && value <= high) {
        return;  // false for NaN
    }
    std::ostringstream text;
    text << "sim camera: " << field << " is " << value << ", allowed is " << low << " to " << high;
    throw ConfigError(text.str());
}

void require_one_of(std::string_view field, const std::string& value,
                    std::initializer_list<const char*> allowed) {
    if (std::find(allowed.begin(), allowed.end(), value) != allowed.end()) {
        return;
    }
    std::ostringstream text;
    text << "sim camera: " << field << " is '" << value << "', allowed are";
    const char* separator = " ";
    for (const char* name : allowed) {
        text << separator << name;
        separator = ", ";
    }
    throw ConfigError(text.str());
}

void validate_format(const SimSpec& spec) {
    const bool odd_width = spec.width() % 2 != 0, odd_height = spec.height() % 2 != 0;
    const bool nv12 = spec.pixel_format == PixelFormat::nv12;
    if ((spec.pixel_format == PixelFormat::yuyv && odd_width) || (nv12 && (odd_width || odd_height)))
        throw ConfigError("sim camera: size is " + std::to_string(spec.width()) + " x " +
                          std::to_string(spec.height()) + ", allowed for " +
                          std::string(name_of(spec.pixel_format)) + " is an even width" +
                          (nv12 ? " and height" : ""));
}

void validate_faults(const SimFaults& faults) {
    require_in("faults.drop", faults.drop, 0, 1);
    require_in("faults.late", faults.late, 0, 1);
    require_in("faults.late_ms", faults.late_ms, 0, 1e5);
    require_in("faults.torn", faults.torn, 0, 1);
    require_in("faults.failed", faults.failed, 0, 1);
    require_in("faults.disconnect_after_s", faults.disconnect_after_s.value_or(0), 0, 1e9);
    require_in("faults.reconnect_after_s", faults.reconnect_after_s.value_or(0), 0, 1e9);
    require_in("faults.clock_jump_after_s", faults.clock_jump_after_s.value_or(0), 0, 1e9);
    require_in("faults.clock_jump_s", faults.clock_jump_s, -1e6, 1e6);
}

void validate_timing(const SimSpec& spec) {
    require_in("rate_hz", spec.rate_hz, 0.1, 10000);
    require_in("exposure_us", spec.exposure_us, 1, 1e6 / spec.rate_hz);
    require_in("transfer_ms", spec.transfer_ms, 0, 1e4);
    require_in("frames_total", static_cast<double>(spec.frames_total.value_or(1)), 1, 1e15);
    require_in("prerender_frames", spec.prerender_frames.value_or(1), 1, 100000);
    require_in("clock.offset_s", spec.clock.offset_s, 0, 1e9);
    require_in("clock.drift_ppm", spec.clock.drift_ppm, -1e4, 1e4);
    require_in("clock.stamp_late_us", spec.clock.stamp_late_us, -1e6, 1e6);
}

void validate_trigger(const SimTrigger& trigger) {
    require_one_of("camera_trigger.source", trigger.source, {"internal", "external_edge"});
    if (trigger.follows() && trigger.line.empty())
        throw ConfigError(
            "sim camera: camera_trigger.source is external_edge, which needs the line that another sim "
            "camera "
            "drives");
}

void validate_led(const SimLed& led, const SimSpec& spec) {
    if (led.output.empty())
        throw ConfigError("sim camera: led.output is empty; allowed: the name of a sim output");
    require_in("led.x", led.x, 0, spec.width() - 1);
    require_in("led.y", led.y, 0, spec.height() - 1);
    require_in("led.radius_px", led.radius_px, 1, 1000);
    require_in("led.level", led.level, 1, 255);
    require_in("led.delay_us", led.delay_us, 0, 1e6);
}

void validate_prerender(const SimSpec& spec) {
    constexpr double kLimitGiB = 4, kGiB = 1024.0 * 1024 * 1024;
    const double frames = spec.prerender_frames.value_or(1);
    const double bytes =
        frames * static_cast<double>(frame_bytes(spec.pixel_format, spec.width(), spec.height()));
    require_in("memory of prerender_frames (GiB)", bytes / kGiB, 0, kLimitGiB);
}

double shape_scale(const std::string& shape) { return shape == "rat" ? 1.3 : shape == "vole" ? 0.9 : 1.0; }

}  // namespace

double SimSpec::resolved_body_length_px() const noexcept {
    constexpr double kMouseLengthPx = 118, kWidthPx = 640, kHeightPx = 480;
    const double frame_scale = std::min(width() / kWidthPx, height() / kHeightPx);
    return body_length_px.value_or(kMouseLengthPx * frame_scale * shape_scale(shape));
}

bool SimSpec::light_coat() const noexcept { return coat == "light" || (coat == "auto" && shape == "rat"); }

void SimSpec::validate() const {
    require_one_of("shape", shape, {"mouse", "rat", "vole"});
    require_one_of("coat", coat, {"auto", "dark", "light"});
    require_in("size[0]", width(), 64, 8192);
    require_in("size[1]", height(), 64, 8192);
    validate_format(*this);
    require_in("individuals", individuals, 1, 16);
    if (body_length_px) {
        require_in("body_length_px", *body_length_px, 8, 0.6 * std::min(width(), height()));
    }
    require_in("lighting.brightness", lighting.brightness, 0.05, 1);
    require_in("lighting.gradient", lighting.gradient, 0, 1);
    require_in("lighting.flicker", lighting.flicker, 0, 1);
    require_in("noise", noise, 0, 40);
    require_in("occlusion", occlusion, 0, 0.9);
    validate_timing(*this);
    validate_prerender(*this);
    validate_faults(faults);
    validate_trigger(camera_trigger);
    if (led) validate_led(*led, *this);
}

}  // namespace fastpose
