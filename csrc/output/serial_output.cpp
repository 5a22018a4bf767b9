// A serial line: which bytes go out for which level.
#include "output/serial_output.h"

#include "base/error.h"

namespace fastpose {

SerialOutput::SerialOutput(std::shared_ptr<SerialPort> port, std::string high_bytes, std::string low_bytes)
    : port_(std::move(port)), high_bytes_(std::move(high_bytes)), low_bytes_(std::move(low_bytes)) {
    if (port_ == nullptr) throw OutputError("serial output without a port: open a SerialPort first");
    if (high_bytes_.empty() || low_bytes_.empty())
        throw OutputError("serial output on " + port_->spec().path +
                          ": 'high' and 'low' need at least one byte each");
    if (high_bytes_ == low_bytes_)
        throw OutputError("serial output on " + port_->spec().path +
                          ": 'high' and 'low' must be different bytes");
}

bool SerialOutput::write(bool high) noexcept { return port_->write(high ? high_bytes_ : low_bytes_); }

std::string SerialOutput::description() const {
    return "serial port " + port_->spec().path + " at " + std::to_string(port_->spec().baud) +
           " baud, low latency " + (port_->low_latency() ? "granted" : "not granted");
}

}  // namespace fastpose
