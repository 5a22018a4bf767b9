// Which frame it is and when it was exposed, for drivers that are hosted outside the engine.
#pragma once
#include <cstdint>

#include "camera/frame_counter.h"
#include "frame/frame.h"
#include "latency/clock_fit.h"

namespace fastpose {

// The counter runs on for the whole session, the clock is fitted anew for each connection. Thread-bound,
// allocates nothing.
class FrameStamper {
  public:
    // As FrameCounter's.
    FrameStamper(CounterRange range, double highest_rate_hz) noexcept : counter_(range, highest_rate_hz) {}

    // A connection begins; exposure_ns: how long each frame is exposed, 0: not known.
    void begin(std::int64_t exposure_ns) noexcept;
    // For readings of both clocks; where none are added, the frames themselves count.
    [[nodiscard]] ClockFit& clock() noexcept { return clock_; }
    // Frames in the order of exposure, failed ones too. number: as the camera counts; camera_ns: by its
    // clock, 0: it has none. The size is left to the caller.
    [[nodiscard]] FrameMeta stamp(std::uint64_t number, std::int64_t camera_ns,
                                  std::int64_t received_ns) noexcept;

  private:
    FrameCounter counter_;
    ClockFit clock_;
};

}  // namespace fastpose
