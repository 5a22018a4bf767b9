// Lists with VIDIOC_QUERY_EXT_CTRL; sets and reads with the plain calls, which every driver has.
#include "camera/v4l2_controls.h"

#include <linux/videodev2.h>

#include <algorithm>
#include <cctype>
#include <cmath>

namespace fastpose {
namespace {

constexpr double us_per_unit = 100;  // of V4L2_CID_EXPOSURE_ABSOLUTE
constexpr std::int64_t ns_per_unit = 100'000;
constexpr int most_controls = 512;

bool is_number(std::uint32_t type) {
    return type == V4L2_CTRL_TYPE_INTEGER || type == V4L2_CTRL_TYPE_BOOLEAN || type == V4L2_CTRL_TYPE_MENU ||
           type == V4L2_CTRL_TYPE_INTEGER_MENU || type == V4L2_CTRL_TYPE_BITMASK;
}

std::optional<std::int64_t> read(V4l2Device& device, std::uint32_t id) noexcept {
    v4l2_control control{id, 0};
    if (device.call(VIDIOC_G_CTRL, control) < 0) return std::nullopt;
    return control.value;
}

int write(V4l2Device& device, std::uint32_t id, std::int64_t value) noexcept {
    v4l2_control control{id, static_cast<std::int32_t>(value)};
    return device.call(VIDIOC_S_CTRL, control);
}

std::vector<std::string> list_menu(V4l2Device& device, const v4l2_query_ext_ctrl& control) {
    std::vector<std::string> entries;
    const bool numbers = control.type == V4L2_CTRL_TYPE_INTEGER_MENU;
    if (control.type != V4L2_CTRL_TYPE_MENU && !numbers) return entries;
    for (std::int64_t index = control.minimum; index <= control.maximum; ++index) {
        v4l2_querymenu entry{};
        entry.id = control.id;
        entry.index = static_cast<std::uint32_t>(index);
        if (device.call(VIDIOC_QUERYMENU, entry) < 0) continue;
        const auto* title = reinterpret_cast<const char*>(entry.name);
        const std::int64_t value = entry.value;
        entries.push_back(std::to_string(index) + ": " +
                          (numbers ? std::to_string(value) : control_name(title)));
    }
    return entries;
}

V4l2Control described(V4l2Device& device, const v4l2_query_ext_ctrl& control) {
    const std::uint32_t refused = V4L2_CTRL_FLAG_READ_ONLY | V4L2_CTRL_FLAG_GRABBED;
    return {control.id,
            control_name(control.name),
            control.minimum,
            control.maximum,
            static_cast<std::int64_t>(control.step),
            control.default_value,
            read(device, control.id).value_or(control.default_value),
            (control.flags & refused) == 0,
            (control.flags & V4L2_CTRL_FLAG_INACTIVE) != 0,
            list_menu(device, control)};
}

std::string allowed(const V4l2Control& control) {
    if (control.menu.empty())
        return std::to_string(control.minimum) + " to " + std::to_string(control.maximum) + " in steps of " +
               std::to_string(control.step);
    std::string text;
    for (const std::string& entry : control.menu) text += (text.empty() ? "" : ", ") + entry;
    return text;
}

[[noreturn]] void refuse_value(V4l2Device& device, const V4l2Control& control, std::int64_t value,
                               const std::string& what) {
    device.fail(
        "control " + control.name + " is " + std::to_string(value) + what + "; allowed: " + allowed(control) +
        (control.inactive ? "; an automatic control holds it: set that one to manual before it" : ""));
}

const V4l2Control& find(V4l2Device& device, const std::vector<V4l2Control>& controls,
                        const std::string& name) {
    const auto named = [&](const V4l2Control& control) { return control.name == name; };
    const auto found = std::find_if(controls.begin(), controls.end(), named);
    if (found != controls.end()) return *found;
    std::string names;
    for (const V4l2Control& control : controls) names += (names.empty() ? "" : ", ") + control.name;
    device.fail("it has no control '" + name + "'; allowed: " + (names.empty() ? "none" : names));
}

// Drivers clamp what they do not allow without a word: the value counts when it reads back.
void set_one(V4l2Device& device, const V4l2Control& control, std::int64_t value) {
    if (!control.writable) refuse_value(device, control, value, ", but it cannot be written");
    if (value < control.minimum || value > control.maximum) refuse_value(device, control, value, "");
    if (const int result = write(device, control.id, value); result < 0)
        refuse_value(device, control, value, ", which it refuses");
    const std::int64_t got = read(device, control.id).value_or(value);
    if (got != value) refuse_value(device, control, value, ", of which it makes " + std::to_string(got));
}

}  // namespace

std::string control_name(const std::string& title) {
    std::string name;
    for (const char letter : title) {
        if (std::isalnum(static_cast<unsigned char>(letter)) != 0)
            name += static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
        else if (!name.empty() && name.back() != '_')
            name += '_';
    }
    while (!name.empty() && name.back() == '_') name.pop_back();
    return name;
}

std::vector<V4l2Control> list_controls(V4l2Device& device) {
    std::vector<V4l2Control> controls;
    v4l2_query_ext_ctrl control{};
    for (int listed = 0; listed < most_controls; ++listed) {
        control.id |= V4L2_CTRL_FLAG_NEXT_CTRL;
        if (device.call(VIDIOC_QUERY_EXT_CTRL, control) < 0) break;
        if (is_number(control.type) && (control.flags & V4L2_CTRL_FLAG_DISABLED) == 0)
            controls.push_back(described(device, control));
    }
    return controls;
}

void set_controls(V4l2Device& device, const std::vector<std::pair<std::string, std::int64_t>>& controls) {
    for (const auto& [name, value] : controls) {
        const std::vector<V4l2Control> here = list_controls(device);  // anew: one may free or hold another
        set_one(device, find(device, here, name), value);
    }
}

void set_exposure(V4l2Device& device, double exposure_us) {
    const auto has = [&](std::uint32_t id) { return read(device, id).has_value(); };
    if (!has(V4L2_CID_EXPOSURE_ABSOLUTE))
        device.fail(
            "exposure_us cannot be set: it has no absolute exposure; leave it out and see its controls");
    const std::int64_t units = std::llround(exposure_us / us_per_unit);
    if (units < 1 || std::abs(static_cast<double>(units) * us_per_unit - exposure_us) > 0.01 * exposure_us)
        device.fail("exposure_us is " + std::to_string(exposure_us) + "; allowed: multiples of 100");
    if (has(V4L2_CID_EXPOSURE_AUTO) && write(device, V4L2_CID_EXPOSURE_AUTO, V4L2_EXPOSURE_MANUAL) < 0)
        device.fail("exposure_us cannot be set: it refuses manual exposure");
    for (const V4l2Control& control : list_controls(device))
        if (control.id == V4L2_CID_EXPOSURE_ABSOLUTE) set_one(device, control, units);
}

void keep_rate(V4l2Device& device) noexcept {
    if (read(device, V4L2_CID_EXPOSURE_AUTO_PRIORITY).value_or(0) != 0)
        static_cast<void>(write(device, V4L2_CID_EXPOSURE_AUTO_PRIORITY, 0));
}

std::int64_t read_exposure_ns(V4l2Device& device) noexcept {
    if (read(device, V4L2_CID_EXPOSURE_AUTO).value_or(V4L2_EXPOSURE_MANUAL) != V4L2_EXPOSURE_MANUAL) return 0;
    return read(device, V4L2_CID_EXPOSURE_ABSOLUTE).value_or(0) * ns_per_unit;
}

}  // namespace fastpose
