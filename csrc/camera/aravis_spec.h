// What a user can ask of a GenICam camera; the field names are the keys of the config.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "frame/frame.h"

namespace fastpose {

// Vendor's own settings by their GenICam names; a command is executed when it is given `true`.
using AravisFeature = std::pair<std::string, std::variant<bool, std::int64_t, double, std::string>>;

struct AravisTrigger {
    std::string source = "internal";    // internal | software | external_edge
    std::string line;                   // of external_edge
    std::string activation = "rising";  // rising | falling
};

// GigE Vision; nothing of it is touched on other cameras.
struct AravisGige {
    std::optional<int> packet_size;              // bytes, with headers; none: what the network lets through
    std::optional<double> packet_delay_us;       // between packets; none: as the camera stands
    bool resend = true;                          // ask for lost packets again, where the camera can
    double frame_retention_ms = 20;              // an incomplete frame is given up after this much silence
    std::int64_t socket_buffer_bytes = 4 << 20;  // of the system's receive buffer
    std::optional<bool> packet_socket;           // none: where it is allowed, but for loopback
};

struct AravisSpec {
    std::string serial;  // or device id, or address; empty: the only camera there is
    // What is none stays as the camera stands.
    std::optional<std::array<int, 2>> size, offset;  // of the region, px
    std::optional<std::array<int, 2>> binning;       // horizontal, vertical
    std::optional<PixelFormat> pixel_format;
    // Of an internal or software trigger; of an external one what to expect. None: as the camera stands.
    std::optional<double> rate_hz;
    std::optional<double> exposure_us, gain_db;
    AravisTrigger trigger;
    std::optional<bool> ptp;              // none: as the camera stands
    std::vector<AravisFeature> features;  // set before all others, in this order
    int buffers = 8;                      // that the transport holds at once
    AravisGige gige;
};

}  // namespace fastpose
