// In which moment to look for the next frame without sleeping.
#pragma once
#include <cstdint>

#include "engine/arrival.h"

namespace fastpose {

// Note [Spinning]: A thread that sleeps is woken some 50 us after the frame came, more on a core that went
// into a deep state. So who waits for frames wakes up a little before one is expected, and looks without
// sleeping until it is there, or clearly late. Both times are learned; the longest spin is given from
// outside.
//
// Thread-bound. Never allocates.
class FrameWindow {
  public:
    static constexpr std::int64_t shortest_spin_ns = 20'000;

    struct Span {
        std::int64_t begin_ns = 0, end_ns = 0;  // both 0: no frame is expected, or spinning is not allowed
    };

    // When the last frame had been received.
    void note_received(std::int64_t received_ns) noexcept { arrival_.add(received_ns); }
    // How late a sleep until a window's begin had ended.
    void note_wake_up(std::int64_t late_ns) noexcept;
    // Longest spin for a frame; less than shortest_spin_ns: never.
    void allow_spin(std::int64_t spin_ns) noexcept { most_ns_ = spin_ns; }

    // Of the next frame.
    [[nodiscard]] Span next() const noexcept;
    [[nodiscard]] const Arrival& arrival() const noexcept { return arrival_; }

  private:
    Arrival arrival_;
    std::int64_t most_ns_ = 0;
    double wake_up_ns_ = 80'000;  // after a sleep that ends by time
};

}  // namespace fastpose
