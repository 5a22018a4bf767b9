// The serial port where its driver is not written yet: says so in set-up.
#include "base/error.h"
#include "output/serial_output.h"

namespace fastpose {

SerialPort::SerialPort(const SerialSpec& spec) : spec_(spec) {
    throw OutputError("output port '" + spec.path +
                      "': serial outputs need Linux in this version; use driver: sim");
}

SerialPort::~SerialPort() = default;

bool SerialPort::write(std::string_view) noexcept { return false; }

int SerialPort::read(std::span<std::uint8_t>, std::int64_t) noexcept { return -1; }

std::string SerialPort::error() const { return "not supported on this system"; }

}  // namespace fastpose
