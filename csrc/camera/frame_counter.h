// A camera's own count of exposures, made to run on for ever.
#pragma once
#include <cstdint>
#include <string_view>

namespace fastpose {

// The values that a camera's counter takes: from first to last, then first again.
struct CounterRange {
    std::uint64_t first = 0, last = 0;
};

// uint16 | uint32 | uint64 | gvsp16 | gvsp64, the last two for the block ids of GigE Vision, which never are
// 0. Throws ConfigError that lists them.
[[nodiscard]] CounterRange counter_range_from(std::string_view name);

struct FrameCount {
    std::int64_t counter = -1;  // never falls; gaps are frames that did not come. -1: not known
    bool reset = false;  // the camera began to count again with this frame: what lies before is unknown
};

// Note [Wrap or reset]: A number lower than the one before has wrapped, or the camera was reset. It has
// wrapped if the frames that would be missing then fit into the time since; a second is granted for frames
// that waited. After a reset the count goes on by one: nothing is invented. A number that stays the same
// counts nothing and is -1.
//
// Thread-bound, allocates nothing.
class FrameCounter {
  public:
    // highest_rate_hz: the camera exposes no faster, as free-running or triggered; 0: not known, then a gap
    // of up to half the range is believed.
    explicit FrameCounter(CounterRange range, double highest_rate_hz = 0) noexcept;

    // Numbers of frames in the order of exposure, with when they arrived; those of failed ones too.
    [[nodiscard]] FrameCount next(std::uint64_t raw, std::int64_t received_ns) noexcept;
    // The acquisition began again (reconnected): the next number continues nothing.
    void restart() noexcept { restarted_ = started_; }

  private:
    [[nodiscard]] std::uint64_t steps_to(std::uint64_t raw) const noexcept;
    [[nodiscard]] std::uint64_t most_steps(std::int64_t received_ns) const noexcept;
    FrameCount take(std::uint64_t raw, std::int64_t received_ns, std::uint64_t steps, bool reset) noexcept;

    CounterRange range_;
    double rate_hz_;
    bool started_ = false, restarted_ = false;
    std::uint64_t raw_ = 0;
    std::int64_t counter_ = -1, received_ns_ = 0;
};

}  // namespace fastpose
