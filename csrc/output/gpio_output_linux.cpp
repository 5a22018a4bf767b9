// GPIO by the character device, version 2 of its interface (Linux 5.10 and later).
#include "output/gpio_output.h"

#include <linux/gpio.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "base/error.h"
#include "output/gpio_calls.h"

namespace fastpose {
namespace {

std::string chips_here() {
    std::string listed;
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator("/dev", ignored))
        if (entry.path().filename().string().starts_with("gpiochip")) listed += ' ' + entry.path().string();
    return listed.empty() ? "there is no /dev/gpiochip* here" : "GPIO chips here:" + listed;
}

std::string advice(int error) {
    if (error == EACCES || error == EPERM) return "add your user to the group 'gpio' and log in again";
    if (error == EBUSY) return "another program or driver has it";
    if (error == EINVAL) return "the chip has no such line, or it is no output";
    if (error == ENOTTY) return "Linux 5.10 or later is needed";
    return chips_here();
}

[[noreturn]] void refuse(const GpioSpec& spec, const std::string& what, int error) {
    throw OutputError(what + " of " + spec.chip + ": " + std::generic_category().message(error) + "; " +
                      advice(error));
}

gpio_v2_line_request request_of(const GpioSpec& spec) {
    gpio_v2_line_request request{};
    request.offsets[0] = static_cast<std::uint32_t>(spec.line);
    request.num_lines = 1;
    std::strncpy(request.consumer, "fastpose", sizeof request.consumer - 1);
    request.config.flags = GPIO_V2_LINE_FLAG_OUTPUT | (spec.active_low ? GPIO_V2_LINE_FLAG_ACTIVE_LOW : 0);
    request.config.num_attrs = 1;
    request.config.attrs[0].mask = 1;
    request.config.attrs[0].attr.id = GPIO_V2_LINE_ATTR_ID_OUTPUT_VALUES;
    request.config.attrs[0].attr.values = spec.initial_high ? 1 : 0;
    return request;
}

}  // namespace

GpioOutput::GpioOutput(const GpioSpec& spec) : GpioOutput(spec, system_gpio_calls()) {}

GpioOutput::GpioOutput(const GpioSpec& spec, GpioCalls& calls) : spec_(spec), calls_(calls) {
    const int chip = calls_.open(spec_.chip.c_str());
    if (chip < 0) refuse(spec_, "the lines", -chip);
    gpio_v2_line_request request = request_of(spec_);
    const int error = calls_.control(chip, GPIO_V2_GET_LINE_IOCTL, &request);
    calls_.close(chip);
    if (error < 0) refuse(spec_, "line " + std::to_string(spec_.line), -error);
    file_descriptor_ = request.fd;
}

GpioOutput::~GpioOutput() { calls_.close(file_descriptor_); }

bool GpioOutput::write(bool high) noexcept {
    gpio_v2_line_values values{};
    values.mask = 1;
    values.bits = high ? 1 : 0;
    const int error = calls_.control(file_descriptor_, GPIO_V2_LINE_SET_VALUES_IOCTL, &values);
    if (error < 0) last_error_ = -error;
    return error >= 0;
}

std::string GpioOutput::description() const {
    return "line " + std::to_string(spec_.line) + " of " + spec_.chip;
}

std::string GpioOutput::error() const {
    const int error = last_error_;
    return error == 0 ? "no write has failed" : std::generic_category().message(error);
}

}  // namespace fastpose
