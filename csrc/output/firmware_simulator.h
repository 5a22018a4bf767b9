// A microcontroller with our firmware behind a pseudo-terminal, its clock drifting: the sketch's own core on
// a board of memory.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace fastpose {

struct FirmwareSimulatorSpec {
    double drift_ppm = 0;            // its clock runs so much faster than the host's
    std::int64_t offset_ns = 0;      // what its clock shows at the start
    std::int64_t wire_delay_ns = 0;  // from an output pin to the input that it is connected with
};

// One change of an output pin.
struct SimulatedEdge {
    int pin = 0;
    int level = 0;               // 0-65535
    std::int64_t host_ns = 0;    // when it truly happened
    std::int64_t device_ns = 0;  // by its own clock
};

// Thread-safe. The constructor throws OutputError where there are no pseudo-terminals.
class FirmwareSimulator {
  public:
    explicit FirmwareSimulator(const FirmwareSimulatorSpec& spec = {});
    ~FirmwareSimulator();
    FirmwareSimulator(const FirmwareSimulator&) = delete;
    FirmwareSimulator& operator=(const FirmwareSimulator&) = delete;

    // Of the port that a host opens.
    [[nodiscard]] const std::string& path() const noexcept { return path_; }
    // 0 low, 65535 high; 0 for a pin that is no output yet.
    [[nodiscard]] int level(int pin) const;
    [[nodiscard]] std::vector<SimulatedEdge> edges() const;
    [[nodiscard]] bool armed() const;
    [[nodiscard]] std::int64_t device_ns(std::int64_t host_ns) const noexcept;

    // An edge at an input pin, at host_ns of the host's clock (0: now).
    void drive_input(int pin, bool high, std::int64_t host_ns = 0);
    // A wire: what the output does, the input sees, wire_delay_ns later.
    void connect(int output_pin, int input_pin);

    // Pulls the cable.
    void unplug();
    // Stops its loop, as a sketch that hangs; false: it goes on.
    void freeze(bool frozen);
    // The next replies are lost on the way.
    void lose_replies(int count);

  private:
    class Device;
    std::string path_;
    std::unique_ptr<Device> device_;
};

}  // namespace fastpose
