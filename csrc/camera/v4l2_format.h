// Pixel formats, sizes and rates of a V4L2 device: listed, set, and read back.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "camera/v4l2_camera.h"
#include "camera/v4l2_device.h"

namespace fastpose {

[[nodiscard]] std::string fourcc_name(std::uint32_t fourcc);
// Of the raw format whose memory equals ours; 0 where V4L2 has none.
[[nodiscard]] std::uint32_t fourcc_of(PixelFormat format) noexcept;

[[nodiscard]] std::vector<V4l2Format> list_formats(V4l2Device& device);

// What the driver made of the format.
struct V4l2Layout {
    std::uint32_t fourcc = 0;
    PixelFormat pixel_format = PixelFormat::mono8;    // of the frames that come out
    int width = 0, height = 0;                        // px
    std::int64_t stride_bytes = 0, buffer_bytes = 0;  // of a row; of a buffer that it fills
};

// Throws CameraError that says what the device offers.
[[nodiscard]] V4l2Layout set_format(V4l2Device& device, const V4l2Spec& spec);
// The rate that the device will run at, Hz; 0: it does not say. Throws CameraError.
[[nodiscard]] double set_rate(V4l2Device& device, const V4l2Layout& layout, std::optional<double> rate_hz);

}  // namespace fastpose
