// A C++ camera driver: fills memory that the engine lends it, on the engine's grabber thread.
//
// Note [Lending]: The engine lends slots of the frame ring; a driver hands them on to its hardware or SDK,
// which writes the pixels there, and grab() gives them back one by one, in the order of exposure. So no pixel
// is copied after the SDK. A driver never keeps more slots than depth() says.
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
    std::int64_t stride_bytes = 0;  // of a (luma) row; 0: densely packed
    std::int64_t buffer_bytes = 0;  // needed of each slot, with padding and chunk data; 0: the frame's
};

// One simultaneous reading of both clocks; the camera's lies between the two host readings.
struct ClockPair {
    std::int64_t host_before_ns = 0, camera_ns = 0, host_after_ns = 0;
};

// failed: a frame was exposed and its pixels did not arrive whole; meta holds what is known of it.
enum class GrabStatus { frame, failed, timeout, finished, disconnected };

struct Grab {
    GrabStatus status = GrabStatus::timeout;
    int slot = -1;  // of frame and failed: given back with it; -1 for failed: the driver keeps it
};

// Thread-bound: all but info(), depth() and statistics() are called on one thread.
class Camera {
  public:
    virtual ~Camera() = default;
    // What the camera was really set to; valid after construction.
    [[nodiscard]] virtual const CameraInfo& info() const noexcept = 0;
    // How many slots it wants to hold at once.
    [[nodiscard]] virtual int depth() const noexcept { return 1; }
    // Lends the memory of one frame, info().buffer_bytes or more, page-aligned. Before and after arm().
    virtual void lend(int slot, std::span<std::uint8_t> memory) noexcept = 0;
    // Throws CameraError. After it the camera exposes. Called again after disarm() to get a lost camera back.
    virtual void arm() = 0;
    // Blocks until the next frame lies in a lent slot and fills every field of `meta` but frame_id,
    // exposure_start_ns and exposure_error_ns (the engine fits the clock), or until timeout_ns has passed.
    virtual Grab grab(FrameMeta& meta, std::int64_t timeout_ns) noexcept = 0;
    // False if the camera's clock cannot be read.
    virtual bool latch_clock(ClockPair& pair) noexcept = 0;
    // State of its PTP clock as the camera names it ("Slave", "Master", ...); empty: no PTP. Asked when armed
    // and every few seconds.
    [[nodiscard]] virtual std::string ptp_state() { return {}; }
    // No more exposures; all lent slots are the engine's again.
    virtual void disarm() noexcept = 0;
    // What its transport counted (resent packets, failed buffers), in one line for the log; may be empty.
    [[nodiscard]] virtual std::string statistics() const { return {}; }
};

}  // namespace fastpose
