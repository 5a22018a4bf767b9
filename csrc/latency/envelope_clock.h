// A camera's clock from its frames alone: when each was exposed by its clock, and when it arrived.
#pragma once
#include <array>
#include <cstdint>

#include "latency/clock_line.h"

namespace fastpose {

// Note [Envelope]: A frame arrives some time after its exposure: never less than readout and transfer take,
// and often more. The line under all points (camera timestamp, received) is therefore the camera's clock plus
// that shortest delay (Moon, Skelly, Towsley 1999, "Estimation and removal of clock skew from network delay
// measurements"). The delay itself cannot be seen; the driver says what it knows of it. Of each half second
// only the quickest frame is held. Three frames in a row that arrive before they were exposed, or ten seconds
// after, tell of a clock that jumped; so does a delay that is longer in all of the last eight seconds.
//
// Thread-bound, allocates nothing.
class EnvelopeClock {
  public:
    static constexpr int capacity = 128;  // spans of half a second

    void add(std::int64_t camera_ns, std::int64_t received_ns) noexcept;

    [[nodiscard]] bool fitted() const noexcept { return count_ > 0; }
    // From the camera's clock to when the quickest frame would have arrived; only when fitted.
    [[nodiscard]] const ClockLine& line() const noexcept { return line_; }
    [[nodiscard]] double error_ns(std::int64_t camera_ns) const noexcept;
    [[nodiscard]] bool suspect() const noexcept { return suspects_ > 0; }

    [[nodiscard]] std::int64_t readings() const noexcept { return readings_; }
    [[nodiscard]] std::int64_t outliers() const noexcept { return outliers_; }
    [[nodiscard]] int restarts() const noexcept { return restarts_; }
    [[nodiscard]] std::int64_t newest_camera_ns() const noexcept { return newest_camera_ns_; }

  private:
    [[nodiscard]] std::int64_t delay_ns(const ClockPoint& frame) const noexcept;
    [[nodiscard]] bool contradicts(std::int64_t delay) const noexcept;
    void set_aside(const ClockPoint& frame) noexcept;
    void begin_anew(const ClockPoint& frame) noexcept;
    void open_span(const ClockPoint& frame) noexcept;
    [[nodiscard]] bool always_later() const noexcept;
    void fit() noexcept;
    ClockPoint& held(int age) noexcept;
    [[nodiscard]] const ClockPoint& held(int age) const noexcept;

    std::array<ClockPoint, capacity> held_{};  // the quickest frame of each span
    int count_ = 0, next_ = 0, suspects_ = 0, restarts_ = 0;
    std::int64_t readings_ = 0, outliers_ = 0, span_end_ns_ = 0, newest_camera_ns_ = 0;
    double spread_ns_ = 0;
    ClockLine line_;
};

}  // namespace fastpose
