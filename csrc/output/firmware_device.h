// A microcontroller with our firmware: its lines, its inputs, and its clock. docs/reference/firmware.md
#pragma once
#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/clock_report.h"
#include "base/thread.h"
#include "latency/clock_fit.h"
#include "output/event_queue.h"
#include "output/output.h"
#include "output/priority_mutex.h"
#include "output/serial_output.h"

namespace fastpose {

struct FirmwareLineSpec {
    int pin = 0;
    bool safe_high = false;
    bool analogue = false;
    std::int64_t max_on_ns = 0;  // the device's own limit, beside the interlock's; 0: none
};

struct FirmwareSpec {
    std::vector<FirmwareLineSpec> lines;
    std::vector<int> input_pins{};  // whose edges are told
    int heartbeat_ms = 250;         // the device goes safe when it hears nothing for so long
    int open_timeout_ms = 5'000;    // many boards start anew when their port is opened
    ThreadRequest thread{.name = "fp-firmware"};
};

// An edge at an input of the device.
struct InputEdge {
    std::int64_t stamp_ns = 0;  // on the host's clock, by the fit at that moment
    std::int64_t device_ns = 0;
    std::int32_t input = 0;  // index in input_pins
    bool high = false;
    std::int32_t number = 0;  // of all edges of the device, modulo 65536: a gap is a loss
};

// Note [firmware]: A set returns when the system has its bytes; the device's answer confirms it, with the
// device's time, which a fit over all round trips takes to the host's clock. A set that is not answered is
// sent again unless a later one of the same line followed; a repeated set does nothing the second time. The
// heartbeat comes from this process's thread: when the process dies, the device goes safe by itself. A device
// that does not answer any more, that went safe by itself, or whose port hangs up has failed: all its lines
// tell their listeners.
//
// Thread-safe; set() allocates nothing. The constructor throws OutputError.
class FirmwareDevice {
  public:
    FirmwareDevice(std::shared_ptr<SerialPort> port, FirmwareSpec spec);
    ~FirmwareDevice();  // lines go safe
    FirmwareDevice(const FirmwareDevice&) = delete;
    FirmwareDevice& operator=(const FirmwareDevice&) = delete;

    // 0: low, 65535: high. False if the port does not take it or the device has failed.
    [[nodiscard]] bool set(int line, std::uint16_t level) noexcept;
    void listen(int line, OutputListener* listener) noexcept;

    [[nodiscard]] const FirmwareSpec& spec() const noexcept { return spec_; }
    [[nodiscard]] const SerialPort& port() const noexcept { return *port_; }
    [[nodiscard]] ClockReport clock() const noexcept;
    [[nodiscard]] bool next_input_edge(InputEdge& edge) noexcept;               // one consumer
    [[nodiscard]] std::int64_t repeated() const noexcept { return repeated_; }  // sets sent again
    // Why it failed.
    [[nodiscard]] std::string error() const;

    // What puts every line into its safe state: for a process that must do so after this one was killed.
    [[nodiscard]] static std::string safe_bytes();

  private:
    static constexpr std::size_t room = 16;  // sets of a line that wait for their answers

    struct Waiting {
        bool used = false;
        std::uint8_t sequence = 0;
        std::uint16_t level = 0;
        std::int64_t sent_ns = 0, repeated_ns = 0;
        int tries = 0;
    };
    struct Line {
        std::uint8_t sequence = 0;  // of the last set
        std::array<Waiting, room> waiting{};
        OutputListener* listener = nullptr;
    };

    struct Talk;  // what the thread alone knows; see the source
    void open();
    void ask(std::uint8_t type, const std::vector<std::uint8_t>& payload, std::int64_t deadline_ns,
             const std::string& what);
    void run() noexcept;
    void read_bytes() noexcept;
    void take(std::int64_t received_ns) noexcept;
    void take_set_reply(std::int64_t received_ns) noexcept;
    void take_beat(std::int64_t received_ns) noexcept;
    void take_edge(std::int64_t received_ns) noexcept;
    void beat_if_due() noexcept;
    void repeat_overdue() noexcept;
    void repeat_overdue(int line) noexcept;
    [[nodiscard]] bool send_set(int line, std::uint8_t sequence, std::uint16_t level) noexcept;
    [[nodiscard]] std::int64_t to_host(std::int64_t device_ns, std::int64_t lowest,
                                       std::int64_t highest) const noexcept;
    void fail(const char* why) noexcept;

    std::shared_ptr<SerialPort> port_;
    FirmwareSpec spec_;
    std::unique_ptr<Talk> talk_;
    mutable PriorityMutex mutex_;       // of the lines
    mutable PriorityMutex call_mutex_;  // held while listeners are called
    std::vector<Line> lines_;
    ClockReport clock_;  // under mutex_
    std::array<char, 160> why_{};
    std::atomic<bool> failed_{false}, stop_{false};
    std::atomic<std::int64_t> repeated_{0};
    std::thread thread_;
};

// One line of the device.
class FirmwareOutput final : public OutputDriver {
  public:
    FirmwareOutput(std::shared_ptr<FirmwareDevice> device, int line);

    [[nodiscard]] bool write(bool high) noexcept override { return device_->set(line_, high ? 65535 : 0); }
    [[nodiscard]] bool analogue() const override;
    [[nodiscard]] bool write_value(float value) noexcept override;  // 0-1
    [[nodiscard]] std::string description() const override;
    [[nodiscard]] std::string error() const override { return device_->error(); }
    void listen(OutputListener* listener) override { device_->listen(line_, listener); }

  private:
    std::shared_ptr<FirmwareDevice> device_;
    int line_;
};

}  // namespace fastpose
