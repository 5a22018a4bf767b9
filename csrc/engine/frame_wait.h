// How the loop waits for a frame: asleep, and awake for the moment in which the next one is expected.
#pragma once
#include <cstdint>

#include "engine/frame_window.h"
#include "frame/ring.h"

namespace fastpose {

// See Note [Spinning]. Thread-bound to the loop. Never allocates.
class FrameWait {
  public:
    explicit FrameWait(Ring& ring) noexcept : ring_(ring) {}

    // The newest frame, or -1 after timeout_ns or earlier.
    [[nodiscard]] int take(std::int64_t timeout_ns) noexcept;
    // When the frame that was taken had been received.
    void note_received(std::int64_t received_ns) noexcept { window_.note_received(received_ns); }
    // As FrameWindow's.
    void allow_spin(std::int64_t spin_ns) noexcept { window_.allow_spin(spin_ns); }

    // Spun before the frame that take() returned last.
    [[nodiscard]] std::int64_t spun_ns() const noexcept { return spun_ns_; }
    // Whether that frame came while it spun.
    [[nodiscard]] bool caught() const noexcept { return caught_; }
    [[nodiscard]] const Arrival& arrival() const noexcept { return window_.arrival(); }

  private:
    int spin_until(std::int64_t end_ns) noexcept;

    Ring& ring_;
    FrameWindow window_;
    std::int64_t spun_ns_ = 0, carried_ns_ = 0;
    bool caught_ = false;
};

}  // namespace fastpose
