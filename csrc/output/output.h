// Lines that act on the world. A driver only writes levels; the interlock decides whether it may.
#pragma once
#include <cstdint>
#include <memory>
#include <string>

namespace fastpose {

// Hears from a driver what no call of ours returned. Called on any thread, must not block or throw.
class OutputListener {
  public:
    virtual ~OutputListener() = default;
    // The device has the level, since stamp_ns of the host's clock.
    virtual void confirmed(bool high, std::int64_t stamp_ns) noexcept = 0;
    // The device is gone, or did not do what it was told.
    virtual void failed() noexcept = 0;
};

// Thread-safe: the pipeline's thread and the timer thread both write. Set-up throws OutputError.
class OutputDriver {
  public:
    virtual ~OutputDriver() = default;
    // Returns when the operating system has taken the edge; false on failure.
    [[nodiscard]] virtual bool write(bool high) noexcept = 0;
    [[nodiscard]] virtual std::string description() const = 0;
    // Why the last failed write failed. For messages: allocates, not for the loop.
    [[nodiscard]] virtual std::string error() const { return "the write failed"; }

    // Whether the line takes values between low and high.
    [[nodiscard]] virtual bool analogue() const { return false; }
    // A value in the line's own unit, 0: off; as write().
    [[nodiscard]] virtual bool write_value(float) noexcept { return false; }
    // Between two steps of a ramp: as fine as the device follows.
    [[nodiscard]] virtual std::int64_t ramp_step_ns() const { return 1'000'000; }

    // Who hears confirmations and failures from now on; null: nobody. When it returns, no call to the one
    // before is under way. Drivers that never confirm leave it.
    virtual void listen(OutputListener*) {}
};

}  // namespace fastpose
