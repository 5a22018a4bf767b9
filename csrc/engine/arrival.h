// When the next frame will arrive, learned from those that came.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>

namespace fastpose {

// Follows the frames' stamps as a phase-locked loop does: late ones move the expectation a little, lost ones
// not at all. Thread-bound, never allocates.
class Arrival {
  public:
    void add(std::int64_t received_ns) noexcept;
    // Whether frames come at a steady enough pace to be expected.
    [[nodiscard]] bool known() const noexcept;
    // Of the next frame. Only where known.
    [[nodiscard]] std::int64_t expected_ns() const noexcept { return phase_ns_ + period(); }
    [[nodiscard]] double period_ns() const noexcept { return period_ns_; }
    // Mean distance of the frames from their expected time.
    [[nodiscard]] std::int64_t jitter_ns() const noexcept { return static_cast<std::int64_t>(jitter_ns_); }

  private:
    static constexpr std::size_t learned_from = 15;  // differences

    void learn(std::int64_t received_ns) noexcept;
    void follow(std::int64_t received_ns) noexcept;
    void forget() noexcept;
    [[nodiscard]] std::int64_t period() const noexcept { return static_cast<std::int64_t>(period_ns_); }

    std::array<std::int64_t, learned_from> differences_ns_{};
    std::size_t differences_ = 0;
    std::int64_t last_ns_ = 0, phase_ns_ = 0;  // phase: when the last frame should have come
    double period_ns_ = 0, jitter_ns_ = 0;     // period 0: being learned
};

}  // namespace fastpose
