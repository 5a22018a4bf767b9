// Fits a camera's clock to the host's, so that every exposure has its time on the host's clock.
#pragma once
#include <cstdint>

#include "base/clock_report.h"
#include "latency/envelope_clock.h"
#include "latency/latched_clock.h"

namespace fastpose {

// When an exposure began, on the host's clock.
struct ExposureTime {
    std::int64_t start_ns = 0;
    std::int32_t error_ns = 0;  // start_ns may be off by as much; 0: not known
    bool fitted = false;        // false: a guess from when the frame arrived
};

// Takes readings of both clocks where the camera can be asked (latch_clock), else the frames themselves:
// once there is a reading, frames count no more. Thread-bound, allocates nothing.
class ClockFit {
  public:
    // What is known of the time from the start of an exposure to its arrival: exposure and readout take at
    // least shortest_ns; the quickest frame may take longer_ns more, which only frames' own fits need.
    void set_delay(std::int64_t shortest_ns, std::int64_t longer_ns = 0) noexcept;

    // Both clocks were read: the camera's after host_before_ns and before host_after_ns.
    void add(std::int64_t host_before_ns, std::int64_t camera_ns, std::int64_t host_after_ns) noexcept;
    // A frame whose exposure began at camera_ns by the camera arrived at received_ns by the host.
    void add_frame(std::int64_t camera_ns, std::int64_t received_ns) noexcept;

    [[nodiscard]] bool fitted() const noexcept { return source() != ClockSource::none; }
    [[nodiscard]] ClockSource source() const noexcept;
    // A time of the camera's clock on the host's; only when fitted.
    [[nodiscard]] std::int64_t to_host_ns(std::int64_t camera_ns) const noexcept;
    // How far to_host_ns() may be off: grows away from the readings.
    [[nodiscard]] double error_ns(std::int64_t camera_ns) const noexcept;
    // The same as it goes into files: at least 1.
    [[nodiscard]] std::int32_t stated_error_ns(std::int64_t camera_ns) const noexcept;

    // The start of the exposure of a frame. What cannot be (it arrived before it was exposed, or ten seconds
    // later) is a guess from received_ns, and makes the fit suspect; so does a frame that seems later than
    // usual, which is busy transport or a clock that jumped.
    [[nodiscard]] ExposureTime exposure(std::int64_t camera_ns, std::int64_t received_ns) noexcept;
    // Something contradicts the fit: read the clock again now, not at the next turn.
    [[nodiscard]] bool suspect() const noexcept;

    [[nodiscard]] ClockReport report() const noexcept;
    [[nodiscard]] double drift_ppm() const noexcept { return report().drift_ppm; }
    [[nodiscard]] double residual_ns() const noexcept { return report().residual_ns; }

  private:
    [[nodiscard]] const ClockLine& line() const noexcept;
    void watch_delay(double delay_ns) noexcept;
    [[nodiscard]] bool possible(std::int64_t start_ns, std::int64_t received_ns, double error) const noexcept;

    LatchedClock latched_;
    EnvelopeClock envelope_;
    std::int64_t shortest_ns_ = 0, longer_ns_ = 0;
    bool odd_frame_ = false;
    double usual_delay_ns_ = 0;  // of frames since the last that was as quick; 0: none came yet
};

}  // namespace fastpose
