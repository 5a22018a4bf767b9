// Aravis' list of devices is one for the process: it is read under a lock.
#include "camera/aravis_found.h"

#include <algorithm>
#include <mutex>

#include "camera/aravis_glib.h"
#include "camera/aravis_pixels.h"

namespace fastpose {
namespace {

using namespace aravis;

std::string text(const char* value) { return value == nullptr ? "" : value; }

AravisFound device(unsigned index) {
    return {.id = text(arv_get_device_id(index)),
            .serial = text(arv_get_device_serial_nbr(index)),
            .vendor = text(arv_get_device_vendor(index)),
            .model = text(arv_get_device_model(index)),
            .protocol = text(arv_get_device_protocol(index)),
            .address = text(arv_get_device_address(index))};
}

bool is_called(const AravisFound& found, const std::string& name) {
    return name.empty() || name == found.serial || name == found.id || name == found.address;
}

std::string list_of(const std::vector<AravisFound>& cameras) {
    if (cameras.empty()) return "none; check cable, power, the network's subnet and firewall";
    std::string list;
    for (const AravisFound& camera : cameras)
        list += (list.empty() ? "" : ", ") + camera.serial + " (" + camera.id + ", " + camera.address + ")";
    return list;
}

}  // namespace

std::vector<AravisFound> find_aravis_cameras() {
    static std::mutex mutex;
    const std::lock_guard lock(mutex);
    arv_update_device_list();
    std::vector<AravisFound> found;
    for (unsigned i = 0; i < arv_get_n_devices(); ++i) found.push_back(device(i));
    return found;
}

AravisFound find_aravis_camera(const std::string& serial) {
    const std::vector<AravisFound> cameras = find_aravis_cameras();
    std::vector<AravisFound> called;
    std::copy_if(cameras.begin(), cameras.end(), std::back_inserter(called),
                 [&](const AravisFound& camera) { return is_called(camera, serial); });
    if (called.size() == 1) return called.front();
    if (g_hostname_is_ip_address(serial.c_str()))  // behind a router, where no broadcast finds it
        return {serial, serial, "", "", "GigEVision", serial};
    if (called.empty())
        throw CameraError("no GenICam camera" + (serial.empty() ? "" : " with serial '" + serial + "'") +
                          "; found: " + list_of(cameras));
    throw CameraError("serial " + (serial.empty() ? "is not given" : "'" + serial + "'") + " and " +
                      std::to_string(called.size()) +
                      " GenICam cameras answer to it; allowed is one of: " + list_of(called));
}

AravisOffer aravis_offer(const std::string& id) {
    const Handle<ArvCamera> camera(
        ask("in use by another program, or out of reach", arv_camera_new, id.c_str()));
    AravisOffer offer{.formats = pixel_formats(camera.get())};
    gint width = 0, height = 0;
    ask("sensor size", arv_camera_get_sensor_size, camera.get(), &width, &height);
    offer.width = width;
    offer.height = height;
    ErrorSlot unknown;
    if (ask_or(FALSE, arv_camera_is_frame_rate_available, camera.get()))
        arv_camera_get_frame_rate_bounds(camera.get(), &offer.lowest_hz, &offer.highest_hz, unknown);
    return offer;
}

void enable_aravis_fake(const std::string& genicam_file) {
    if (!genicam_file.empty()) arv_set_fake_camera_genicam_filename(genicam_file.c_str());
    arv_enable_interface("Fake");
}

std::string aravis_version() {
    return std::to_string(arv_get_major_version()) + "." + std::to_string(arv_get_minor_version()) + "." +
           std::to_string(arv_get_micro_version());
}

}  // namespace fastpose
