// Opening, control and what is known of a camera.
#include "camera/aravis_device.h"

#include <array>
#include <utility>

#include "camera/aravis_found.h"
#include "camera/aravis_settings.h"

namespace fastpose::aravis {
namespace {

void on_control_lost(ArvDevice* /*device*/, gpointer lost) {
    static_cast<std::atomic<bool>*>(lost)->store(true);
}

Handle<ArvCamera> open(const AravisFound& found) {
    return Handle<ArvCamera>(ask("GenICam camera " + found.id + " at " + found.address +
                                     " (is it in use by another program, or its address in another subnet?)",
                                 arv_camera_new, found.id.c_str()));
}

}  // namespace

Device::Device(const AravisSpec& spec) {
    const AravisFound found = find_aravis_camera(spec.serial);
    address_ = found.address;
    camera_ = open(found);
    apply(camera_.get(), spec);
    info_ = read_back(camera_.get(), spec);
    clock_ = DeviceClock(camera_.get());
    g_signal_connect(arv_camera_get_device(camera_.get()), "control-lost", G_CALLBACK(on_control_lost),
                     &lost_);
}

Device::~Device() { g_signal_handlers_disconnect_by_data(arv_camera_get_device(camera_.get()), &lost_); }

CounterRange Device::counter_range() const {
    if (arv_camera_is_uv_device(camera_.get())) return counter_range_from("uint64");
    const char* extended = has(camera_.get(), "GevGVSPExtendedIDMode")
                               ? ask_or("", arv_camera_get_string, camera_.get(), "GevGVSPExtendedIDMode")
                               : "";
    return counter_range_from(g_strcmp0(extended, "On") == 0 ? "gvsp64" : "gvsp16");
}

std::map<std::string, std::string> Device::details() const {
    constexpr std::array<std::pair<const char*, const char*>, 6> texts{{{"vendor", "DeviceVendorName"},
                                                                        {"model", "DeviceModelName"},
                                                                        {"serial", "DeviceSerialNumber"},
                                                                        {"firmware", "DeviceFirmwareVersion"},
                                                                        {"version", "DeviceVersion"},
                                                                        {"user_id", "DeviceUserID"}}};
    std::map<std::string, std::string> details{{"address", address_}, {"aravis", aravis_version()}};
    for (const auto& [key, feature] : texts)
        if (has(camera(), feature)) details[key] = ask_or("", arv_camera_get_string, camera(), feature);
    if (arv_camera_is_gv_device(camera()))
        details["packet_size"] = std::to_string(ask_or(0U, arv_camera_gv_get_packet_size, camera()));
    if (const std::string ptp = clock_.ptp_state(); !ptp.empty()) details["ptp"] = ptp;
    return details;
}

void Device::start() { ask("acquisition start", arv_camera_start_acquisition, camera()); }

void Device::stop() noexcept {
    ErrorSlot ignored;
    arv_camera_stop_acquisition(camera(), ignored);
}

bool Device::trigger() noexcept {
    ErrorSlot error;
    arv_camera_software_trigger(camera(), error);
    return !error.set();
}

}  // namespace fastpose::aravis
