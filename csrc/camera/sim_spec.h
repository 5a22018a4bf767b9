// What a user can ask of the simulated camera; the field names are the keys of the config.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "frame/frame.h"

namespace fastpose {

struct SimLighting {
    double brightness = 0.6;  // grey level of a white floor / 255
    double gradient = 0.2;    // relative difference of light from one side of the arena to the other
    double flicker = 0.0;     // relative amplitude of lamps on 50 Hz mains (100 Hz light)
};

struct SimClock {
    double offset_s = 12.5;    // camera clock when the camera is opened
    double drift_ppm = 20;     // how much faster the camera's clock runs than the host's
    double stamp_late_us = 0;  // a frame's stamp names a moment so long after its exposure began
};

// Probabilities per frame.
struct SimFaults {
    double drop = 0.0;  // exposed, never delivered
    double late = 0.0;  // delivered late_ms later; order is kept
    double late_ms = 20;
    double torn = 0.0;    // the lower rows are those of the frame before
    double failed = 0.0;  // exposed, its buffer did not arrive whole
    std::optional<double> disconnect_after_s;
    std::optional<double>
        reconnect_after_s;  // of the cable that was pulled; its counter and clock begin anew
    std::optional<double> clock_jump_after_s;  // the camera's clock is set
    double clock_jump_s = 1.0;                 // by this much
};

// What starts an exposure. The names are those of real cameras; the line is a wire of this process.
struct SimTrigger {
    std::string source = "internal";  // internal | external_edge
    std::string line;                 // internal: driven by the exposures; external_edge: its edges expose
    [[nodiscard]] bool follows() const noexcept { return source == "external_edge"; }
};

// A light in view that the simulated output of this name drives.
struct SimLed {
    std::string output;
    double x = 0, y = 0;  // px
    double radius_px = 6;
    double level = 60;    // grey levels of 255 that it adds when it is on for the whole exposure
    double delay_us = 0;  // from the write of the output to light
};

struct SimSpec {
    std::string shape = "mouse";        // mouse | rat | vole
    std::string coat = "auto";          // auto | dark (on a light floor) | light (on a dark floor)
    std::array<int, 2> size{640, 480};  // width, height, px
    double rate_hz = 100;
    double exposure_us = 2000;
    PixelFormat pixel_format = PixelFormat::mono8;
    std::uint64_t seed = 0;
    std::optional<std::int64_t> frames_total;
    int individuals = 1;
    std::optional<double> body_length_px;  // snout to tail base; none: 118 px of a mouse in 640x480, scaled
    SimLighting lighting;
    double noise = 3.0;       // grey levels, standard deviation
    bool motion_blur = true;  // over the exposure
    double occlusion = 0.0;   // fraction of time that the centre of the first individual is under the bar
    SimClock clock;
    SimFaults faults;
    SimTrigger camera_trigger;
    std::optional<SimLed> led;
    std::optional<int> prerender_frames;  // rendered when armed, then repeated: frame i shows i % this many
    double transfer_ms = 0.5;             // from the end of the exposure to the host
    bool every_frame = false;  // wait for a slow host; else frames older than the driver's queue are lost

    [[nodiscard]] int width() const noexcept { return size[0]; }
    [[nodiscard]] int height() const noexcept { return size[1]; }
    // Length of the named shape's body at this frame size, px.
    [[nodiscard]] double resolved_body_length_px() const noexcept;
    [[nodiscard]] bool light_coat() const noexcept;
    // Throws ConfigError that names the field, the value and what is allowed.
    void validate() const;
};

}  // namespace fastpose
