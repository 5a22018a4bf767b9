// How the loop waits for a frame: asleep, and awake for the moment in which the next one is expected.
#pragma once
#include <cstdint>

#include "engine/arrival.h"
#include "frame/ring.h"

namespace fastpose {

// Note [Spinning]: A thread that sleeps is woken some 50 us after the frame came, more on a core that went
// into a deep state. So the loop wakes up a little before a frame is expected, and looks at the ring without
// sleeping until it is there, or clearly late. Both times are learned; the longest spin is given from
// outside.
//
// Thread-bound to the loop. Never allocates.
class FrameWait {
  public:
    static constexpr std::int64_t shortest_spin_ns = 20'000;

    explicit FrameWait(Ring& ring) noexcept : ring_(ring) {}

    // The newest frame, or -1 after timeout_ns or earlier.
    [[nodiscard]] int take(std::int64_t timeout_ns) noexcept;
    // When the frame that was taken had been received.
    void note_received(std::int64_t received_ns) noexcept { arrival_.add(received_ns); }
    // Longest spin for a frame; less than shortest_spin_ns: never.
    void allow_spin(std::int64_t spin_ns) noexcept { most_ns_ = spin_ns; }

    // Spun before the frame that take() returned last.
    [[nodiscard]] std::int64_t spun_ns() const noexcept { return spun_ns_; }
    // Whether that frame came while it spun.
    [[nodiscard]] bool caught() const noexcept { return caught_; }
    [[nodiscard]] const Arrival& arrival() const noexcept { return arrival_; }

  private:
    struct Window {
        std::int64_t begin_ns = 0, end_ns = 0;
    };
    [[nodiscard]] Window window() const noexcept;
    void learn_wake_up(std::int64_t late_ns) noexcept;
    int spin_until(std::int64_t end_ns) noexcept;

    Ring& ring_;
    Arrival arrival_;
    std::int64_t most_ns_ = 0, spun_ns_ = 0, carried_ns_ = 0;
    double wake_up_ns_ = 80'000;  // after a sleep that ends by time
    bool caught_ = false;
};

}  // namespace fastpose
