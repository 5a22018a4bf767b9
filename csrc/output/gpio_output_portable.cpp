// GPIO where there is no character device for it: says so in set-up.
#include "base/error.h"
#include "output/gpio_calls.h"
#include "output/gpio_output.h"

namespace fastpose {

namespace {
class NoCalls final : public GpioCalls {
  public:
    int open(const char*) noexcept override { return -1; }
    void close(int) noexcept override {}
    int control(int, unsigned long, void*) noexcept override { return -1; }
};
}  // namespace

GpioCalls& system_gpio_calls() noexcept {
    static NoCalls calls;
    return calls;
}

GpioOutput::GpioOutput(const GpioSpec& spec) : GpioOutput(spec, system_gpio_calls()) {}
GpioOutput::GpioOutput(const GpioSpec& spec, GpioCalls& calls) : spec_(spec), calls_(calls) {
    throw OutputError("line " + std::to_string(spec.line) + " of " + spec.chip +
                      ": GPIO needs Linux; use driver: firmware with a microcontroller");
}
GpioOutput::~GpioOutput() = default;
bool GpioOutput::write(bool) noexcept { return false; }
std::string GpioOutput::description() const { return spec_.chip; }
std::string GpioOutput::error() const { return "not supported on this system"; }

}  // namespace fastpose
