// A line of a GPIO chip: single-board computers and USB adapters that have one.
#pragma once
#include <atomic>
#include <string>

#include "output/output.h"

namespace fastpose {

class GpioCalls;

struct GpioSpec {
    std::string chip = "/dev/gpiochip0";
    int line = 0;             // offset on the chip
    bool active_low = false;  // high of the config is low of the pin
    bool initial_high = false;
};

// Note [GPIO]: The line is asked for as an output of ours alone (character device, uAPI v2), from its initial
// level on. When its descriptor is closed the kernel gives the line back, and many chips keep the level: a
// guardian must hold the descriptor to write the safe level after a kill.
//
// Thread-safe. The constructor throws OutputError.
class GpioOutput final : public OutputDriver {
  public:
    explicit GpioOutput(const GpioSpec& spec);
    GpioOutput(const GpioSpec& spec, GpioCalls& calls);
    ~GpioOutput() override;
    GpioOutput(const GpioOutput&) = delete;
    GpioOutput& operator=(const GpioOutput&) = delete;

    [[nodiscard]] bool write(bool high) noexcept override;
    [[nodiscard]] std::string description() const override;
    [[nodiscard]] std::string error() const override;
    // Of the line; stays owned by this object.
    [[nodiscard]] int file_descriptor() const noexcept { return file_descriptor_; }

  private:
    GpioSpec spec_;
    GpioCalls& calls_;
    int file_descriptor_ = -1;
    std::atomic<int> last_error_{0};  // errno
};

}  // namespace fastpose
