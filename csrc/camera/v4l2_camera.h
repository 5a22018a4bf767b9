// Cameras of Linux's V4L2 (USB webcams and whatever else is a /dev/video*): what one offers, what can be
// asked of it, and the driver.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "camera/camera.h"
#include "camera/v4l2_calls.h"

namespace fastpose {

// Sizes and rates of one format; a stepwise range is told by its largest size.
struct V4l2Size {
    int width = 0, height = 0;     // px
    std::vector<double> rates_hz;  // highest first; of a range: its ends
};

struct V4l2Format {
    std::string fourcc;        // as "GREY"
    std::string pixel_format;  // ours; "mjpg" for Motion-JPEG; empty: not supported
    std::vector<V4l2Size> sizes;
};

struct V4l2Control {
    std::uint32_t id = 0;
    std::string name;  // as "exposure_time_absolute"
    std::int64_t minimum = 0, maximum = 0, step = 1, standard = 0, value = 0;
    bool writable = true;
    bool inactive = false;          // another control, an automatic one, holds it
    std::vector<std::string> menu;  // "1: manual_mode"; empty: a number
};

struct V4l2Description {
    std::string path, card, driver, bus;
    std::vector<V4l2Format> formats;
    std::vector<V4l2Control> controls;
};

// Opens the device for as long as the call lasts. Throws CameraError.
[[nodiscard]] V4l2Description describe_v4l2(const std::string& path, V4l2Calls& calls = system_v4l2_calls());

enum class V4l2Memory { automatic, userptr, mmap };

struct V4l2Spec {
    std::string path;  // /dev/video0, or a link that stays: /dev/v4l/by-id/...
    // What is not given stays as the camera is set.
    std::optional<PixelFormat> pixel_format;
    bool mjpg = false;  // the camera sends Motion-JPEG, which becomes pixel_format; that must be given
    int width = 0, height = 0;  // px; 0: not given
    std::optional<double> rate_hz, exposure_us;
    std::vector<std::pair<std::string, std::int64_t>> controls;  // set in this order
    V4l2Memory memory = V4l2Memory::automatic;
    int buffers = 8;  // frames that the driver may fill ahead of us, 2 to 32
};

// What was really set, read back from the device.
struct V4l2Settings {
    std::string path, card, driver, bus, fourcc;
    bool user_memory = false;  // the driver writes into our slots
    std::string why_copied;    // the reason, where it does not
    std::vector<std::pair<std::string, std::int64_t>> controls;
};

class V4l2Camera : public Camera {
  public:
    [[nodiscard]] virtual const V4l2Settings& settings() const noexcept = 0;
};

// Throws CameraError: not there, in use, or what is asked for is not what it can do. `calls` must outlive it.
[[nodiscard]] std::unique_ptr<V4l2Camera> make_v4l2_camera(const V4l2Spec& spec,
                                                           V4l2Calls& calls = system_v4l2_calls());

}  // namespace fastpose
