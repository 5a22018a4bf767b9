// Lines of a microcontroller behind a serial port: one string of bytes makes a line high, another makes it
// low.
#pragma once
#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "output/output.h"
#include "output/priority_mutex.h"

namespace fastpose {

struct SerialSpec {
    std::string path;           // as /dev/ttyACM0
    int baud = 115200;          // one of the system's rates, 8N1, no flow control
    int write_timeout_ms = 20;  // a write that the system does not take within this time has failed
};

// An open port, ours alone, raw. Several lines may share it. Thread-safe. The constructor throws OutputError.
class SerialPort {
  public:
    explicit SerialPort(const SerialSpec& spec);
    ~SerialPort();
    SerialPort(const SerialPort&) = delete;
    SerialPort& operator=(const SerialPort&) = delete;

    // Blocks at most write_timeout_ms; true when the system has taken all bytes. Allocates nothing.
    [[nodiscard]] bool write(std::string_view bytes) noexcept;
    // Waits at most timeout_ns for bytes: how many came, 0: none in time, -1: the port is gone. One reader.
    [[nodiscard]] int read(std::span<std::uint8_t> bytes, std::int64_t timeout_ns) noexcept;

    [[nodiscard]] const SerialSpec& spec() const noexcept { return spec_; }
    // For a process that must be able to write after this one was killed; stays owned by this object.
    [[nodiscard]] int file_descriptor() const noexcept { return file_descriptor_; }
    // Whether the driver agreed to hand bytes over at once (USB adapters otherwise wait up to 16 ms to
    // answer).
    [[nodiscard]] bool low_latency() const noexcept { return low_latency_; }
    // The system's words for the last failed write.
    [[nodiscard]] std::string error() const;

  private:
    SerialSpec spec_;
    PriorityMutex mutex_;  // two lines' bytes do not mix
    int file_descriptor_ = -1;
    bool low_latency_ = false;
    std::atomic<int> last_error_{0};  // errno
};

// One line on a port. Throws OutputError if a string is empty or both are the same.
class SerialOutput final : public OutputDriver {
  public:
    SerialOutput(std::shared_ptr<SerialPort> port, std::string high_bytes, std::string low_bytes);

    [[nodiscard]] bool write(bool high) noexcept override;
    [[nodiscard]] std::string description() const override;
    [[nodiscard]] std::string error() const override { return port_->error(); }

  private:
    std::shared_ptr<SerialPort> port_;
    std::string high_bytes_, low_bytes_;
};

}  // namespace fastpose
