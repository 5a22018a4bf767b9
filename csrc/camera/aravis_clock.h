// The clock of a GenICam camera: latched for the fit, and what PTP says of it.
#pragma once
#include <string>

#include "camera/aravis_glib.h"
#include "camera/camera.h"

namespace fastpose::aravis {

// Which features a camera has for its clock. Thread-bound.
class DeviceClock {
  public:
    DeviceClock() = default;
    explicit DeviceClock(ArvCamera* camera) noexcept;
    // Between the two host readings the camera latched its clock; the value is fetched after them. False:
    // it cannot, or did not answer. Blocks for two round trips, and for seconds where the camera is gone.
    [[nodiscard]] bool latch(ClockPair& pair) const noexcept;
    // "PTP slave, 120 ns from its master"; empty where it has none.
    [[nodiscard]] std::string ptp_state() const;

  private:
    ArvCamera* camera_ = nullptr;
    const char* latch_ = nullptr;  // command
    const char* value_ = nullptr;  // in ticks
    std::int64_t ticks_per_s_ = 1'000'000'000;
};

// Without rounding over the years that a counter of 64 bits runs.
[[nodiscard]] std::int64_t ticks_to_ns(std::int64_t ticks, std::int64_t ticks_per_s) noexcept;

}  // namespace fastpose::aravis
