// Controls of a V4L2 device (exposure, gain, ...): by name, set and read back.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "camera/v4l2_camera.h"
#include "camera/v4l2_device.h"

namespace fastpose {

// "Exposure Time, Absolute" -> "exposure_time_absolute".
[[nodiscard]] std::string control_name(const std::string& title);

[[nodiscard]] std::vector<V4l2Control> list_controls(V4l2Device& device);

// Throws CameraError that names the control, its value and what is allowed.
void set_controls(V4l2Device& device, const std::vector<std::pair<std::string, std::int64_t>>& controls);
// Switches to manual exposure first. Throws CameraError.
void set_exposure(V4l2Device& device, double exposure_us);
// Where the camera may lengthen exposures at the cost of its rate (a webcam in the dark): no more of that.
void keep_rate(V4l2Device& device) noexcept;
// Of the manual exposure that is set, ns; 0: not known, or automatic.
[[nodiscard]] std::int64_t read_exposure_ns(V4l2Device& device) noexcept;

}  // namespace fastpose
