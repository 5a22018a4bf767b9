// A camera's clock from simultaneous readings of it and of the host's.
#pragma once
#include <array>
#include <cstdint>

#include "latency/clock_line.h"

namespace fastpose {

// Note [Outliers]: A reading that contradicts the fit waits as a suspect. The next one that fits makes it an
// outlier. Three suspects in a row that agree with each other on a line are the clock as it is now: it
// jumped, was reset or changed its rate, and the fit begins anew with them. What never agrees (a register
// read in halves, a clock that stands still) changes nothing.
//
// Thread-bound, allocates nothing.
class LatchedClock {
  public:
    static constexpr int capacity = 128;

    // The camera's clock was read after host_before_ns and before host_after_ns; a driver whose camera's
    // clock ticks coarsely widens the two by its tick.
    void add(std::int64_t host_before_ns, std::int64_t camera_ns, std::int64_t host_after_ns) noexcept;

    [[nodiscard]] bool fitted() const noexcept { return count_ > 0; }
    [[nodiscard]] const ClockLine& line() const noexcept { return line_; }  // only when fitted
    // How far line().to_host_ns() may be off: half the width of the readings, weighted as in the fit, since
    // all may lean to the same side; two standard deviations; and what the drift may change with temperature.
    [[nodiscard]] double error_ns(std::int64_t camera_ns) const noexcept;
    // The newest reading contradicts the fit: read again soon.
    [[nodiscard]] bool suspect() const noexcept { return suspects_ > 0; }

    // The clock before it last jumped, for frames that were exposed then and arrive now.
    struct Past {
        ClockLine line;
        double error_ns = 0;
        std::int64_t until_host_ns = 0;  // 0: it never jumped
    };
    [[nodiscard]] const Past& past() const noexcept { return past_; }

    [[nodiscard]] std::int64_t readings() const noexcept { return readings_; }
    [[nodiscard]] std::int64_t outliers() const noexcept { return outliers_; }
    [[nodiscard]] int restarts() const noexcept { return restarts_; }
    [[nodiscard]] std::int64_t newest_camera_ns() const noexcept { return newest_.camera_ns; }

  private:
    static constexpr int jury = 3;  // suspects that must agree
    struct Reading {
        std::int64_t camera_ns = 0, host_ns = 0;
        double half_width_ns = 0;
        [[nodiscard]] ClockPoint point() const noexcept;
    };
    [[nodiscard]] bool fits(const Reading& reading) const noexcept;
    void accept(const Reading& reading) noexcept;
    void set_aside(const Reading& reading) noexcept;
    void begin_anew_if_suspects_agree() noexcept;
    void fit() noexcept;
    [[nodiscard]] double lean_ns(std::int64_t camera_ns) const noexcept;

    std::array<Reading, capacity> held_{};
    std::array<Reading, jury> suspect_{};
    int count_ = 0, next_ = 0, suspects_ = 0, restarts_ = 0;
    std::int64_t readings_ = 0, outliers_ = 0;
    Reading newest_;
    Past past_;
    double slope_prior_ = 0, scatter_ = 1;
    ClockLine line_, lean_;
};

}  // namespace fastpose
