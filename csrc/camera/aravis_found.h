// Which GenICam cameras are there.
#pragma once
#include <string>
#include <vector>

#include "frame/frame.h"

namespace fastpose {

struct AravisFound {
    std::string id;  // that Aravis opens it by
    std::string serial, vendor, model;
    std::string protocol;  // GigEVision, USB3Vision, Fake
    std::string address;   // IP address or USB device
};

// Asks the network and the USB bus; takes about a second. Thread-safe.
[[nodiscard]] std::vector<AravisFound> find_aravis_cameras();

// The one camera with this serial number, id or address; with an empty one the only camera there is.
// Throws CameraError that lists what was found.
[[nodiscard]] AravisFound find_aravis_camera(const std::string& serial);

// What a camera could be asked for.
struct AravisOffer {
    std::vector<PixelFormat> formats;      // of those that fastpose reads
    int width = 0, height = 0;             // largest, px
    double lowest_hz = 0, highest_hz = 0;  // 0, 0: it does not tell
};

// Opens the camera for as long as the call lasts. Throws CameraError, also when it is in use.
[[nodiscard]] AravisOffer aravis_offer(const std::string& id);

// Lets Aravis' own simulated camera of this process be found: `Fake_1`, for tests and for trying things out.
// genicam_file: another description of its features; empty: its own.
void enable_aravis_fake(const std::string& genicam_file = "");

// Of the library that runs, as "0.8.26".
[[nodiscard]] std::string aravis_version();

}  // namespace fastpose
