// A frame: one image with its meta data, as plain memory that can lie in shared memory.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace fastpose {

enum class PixelFormat : std::int32_t {
    mono8 = 0,
    rgb8,
    bgr8,
    bayer_rg8,
    bayer_gr8,
    bayer_gb8,
    bayer_bg8,
    yuyv,
    nv12,
    mono10,  // 16 bits a pixel, little-endian, the value in the lower 10 and the others 0
    mono12,
};

// The name used in configs and files ("mono8", "bayer_rg8", ...).
[[nodiscard]] std::string_view name_of(PixelFormat format) noexcept;
// Throws ConfigError that lists the allowed names.
[[nodiscard]] PixelFormat pixel_format_from(std::string_view name);
// Bytes of one densely packed frame; nv12 holds the half-size chroma plane behind the luma plane.
[[nodiscard]] std::size_t frame_bytes(PixelFormat format, int width, int height) noexcept;
// Largest value of a sample: 255, 1023, 4095.
[[nodiscard]] int white_of(PixelFormat format) noexcept;
// Bytes of one densely packed (luma) row.
[[nodiscard]] std::size_t row_bytes(PixelFormat format, int width) noexcept;

// Non-owning view of pixels. For nv12 `data` is the luma plane and the chroma plane follows at
// data + height * stride_bytes.
struct FrameView {
    const std::uint8_t* data = nullptr;
    int width = 0;   // px
    int height = 0;  // px
    std::ptrdiff_t stride_bytes = 0;
    PixelFormat format = PixelFormat::mono8;
};

// Rectangle of sensor pixels.
struct Roi {
    std::int32_t x = 0, y = 0, width = 0, height = 0;
};

// Bits of FrameMeta::flags and FrameRecord::flags.
enum FrameFlag : std::int32_t {
    frame_unreadable = 1,       // the source could not decode it; pixels are those of no frame
    frame_torn = 2,             // the driver reported an incomplete transfer
    frame_late = 4,             // arrived later than its successor's exposure
    frame_last = 8,             // the source ends with it
    frame_clock_unfitted = 16,  // exposure_start_ns is a guess from received_ns
    frame_pose_failed = 32,     // the network failed on it; keypoints are NaN
    frame_counter_reset = 64,   // the camera's own counter began again with it
    frame_unmatched = 128,      // no frame of the other cameras belongs to it, or none came in time
};

// Travels with the pixels through the ring. All times int64 ns; host clock unless named camera.
struct FrameMeta {
    std::int64_t frame_id = -1;            // consecutive per camera, set by the ring at publish
    std::int64_t camera_counter = -1;      // the camera's own count of exposures; gaps are camera drops
    std::int64_t camera_timestamp_ns = 0;  // camera clock, start of exposure
    std::int64_t exposure_start_ns = 0;
    std::int64_t received_ns = 0;
    std::int32_t width = 0, height = 0;
    std::int32_t flags = 0;
    std::int32_t exposure_error_ns = 0;  // uncertainty of exposure_start_ns; 0: not known
};

}  // namespace fastpose
