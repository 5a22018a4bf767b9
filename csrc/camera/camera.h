// A C++ camera driver: fills memory that the engine owns, one frame at a time, on the engine's grabber
// thread.
#pragma once
#include <cstdint>
#include <span>
#include <string>

#include "frame/frame.h"

namespace fastpose {

struct CameraInfo {
    PixelFormat format = PixelFormat::mono8;
    int width = 0, height = 0;  // px
    double rate_hz = 0;
    std::int64_t exposure_ns = 0;
};

// One simultaneous reading of both clocks; the camera's lies between the two host readings.
struct ClockPair {
    std::int64_t host_before_ns = 0, camera_ns = 0, host_after_ns = 0;
};

enum class GrabStatus { frame, timeout, finished, disconnected };

// Thread-bound: arm, grab and disarm are called on one thread.
class Camera {
  public:
    virtual ~Camera() = default;
    [[nodiscard]] virtual const CameraInfo& info() const noexcept = 0;
    // Throws CameraError. After it the camera exposes.
    virtual void arm() = 0;
    // Blocks until the next frame lies in `slot` (densely packed) and fills every field of `meta` but
    // frame_id and exposure_start_ns (the engine fits the clock), or until timeout_ns has passed.
    virtual GrabStatus grab(std::span<std::uint8_t> slot, FrameMeta& meta,
                            std::int64_t timeout_ns) noexcept = 0;
    // False if the camera's clock cannot be read.
    virtual bool latch_clock(ClockPair& pair) noexcept = 0;
    virtual void disarm() noexcept = 0;
};

}  // namespace fastpose
