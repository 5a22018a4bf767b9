// The simulated microcontroller: a thread that reads the far end of a pseudo-terminal.
#include "output/firmware_simulator.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#include <fastpose_firmware/core.h>
#include <array>
#include <atomic>
#include <map>
#include <mutex>
#include <thread>

#include "base/clock.h"
#include "base/error.h"
#include "base/thread.h"

namespace fastpose {
namespace {

int open_pseudo_terminal(std::string& path) {
    const int far_end = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (far_end < 0 || grantpt(far_end) != 0 || unlockpt(far_end) != 0)
        throw OutputError("firmware simulator: this system gives no pseudo-terminal");
    std::array<char, 64> name{};
    if (ptsname_r(far_end, name.data(), name.size()) != 0)
        throw OutputError("firmware simulator: the pseudo-terminal has no name");
    path = name.data();
    return far_end;
}

}  // namespace

// Note: the lock is held whenever the core runs; edges and pins belong to it.
class FirmwareSimulator::Device final : public fastpose_wire::Board {
  public:
    Device(const FirmwareSimulatorSpec& spec, std::string& path)
        : spec_(spec), start_ns_(fastpose::now_ns()), far_end_(open_pseudo_terminal(path)) {
        // Held open, so that the far end is no hang-up before a host opens it.
        keep_open_ = ::open(path.c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC);
        termios raw{};
        tcgetattr(keep_open_, &raw);
        cfmakeraw(&raw);
        tcsetattr(keep_open_, TCSANOW, &raw);
        thread_ = std::thread([this] { run(); });
    }
    ~Device() override {
        stop_ = true;
        thread_.join();
        unplug();
    }

    [[nodiscard]] std::int64_t device_ns(std::int64_t host_ns) const noexcept {
        const double passed = static_cast<double>(host_ns - start_ns_) * (1 + spec_.drift_ppm * 1e-6);
        return spec_.offset_ns + static_cast<std::int64_t>(passed);
    }

    // --- the board ---
    std::uint64_t now_us() override { return us(fastpose::now_ns()); }
    void make_output(std::uint8_t) override {}
    void make_input(std::uint8_t input, std::uint8_t pin) override { inputs_[pin] = input; }
    void write_digital(std::uint8_t pin, bool high) override { write_analogue(pin, high ? 65535 : 0); }
    void write_analogue(std::uint8_t pin, std::uint16_t level) override {
        const std::int64_t host_ns = fastpose::now_ns();
        const int before = levels_[pin];
        levels_[pin] = level;
        if (before == level) return;
        edges_.push_back({pin, level, host_ns, device_ns(host_ns)});
        const auto wire = wires_.find(pin);
        if (wire != wires_.end() && (before > 0) != (level > 0))
            note_input(wire->second, level > 0, host_ns + spec_.wire_delay_ns);
    }
    void send(const std::uint8_t* bytes, std::uint8_t count) override {
        if (replies_to_lose_ > 0) {
            --replies_to_lose_;
            return;
        }
        if (far_end_ >= 0 && ::write(far_end_, bytes, count) < 0) return;  // nobody listens
    }

    // --- what a test does with it; under the lock ---
    void note_input(int pin, bool high, std::int64_t host_ns) {
        const auto found = inputs_.find(pin);
        if (found != inputs_.end()) core.note_edge(found->second, high, us(host_ns));
    }
    void connect(int output_pin, int input_pin) { wires_[output_pin] = input_pin; }
    void lose_replies(int count) { replies_to_lose_ = count; }
    void unplug() {
        if (keep_open_ >= 0) ::close(keep_open_);
        if (far_end_ >= 0) ::close(far_end_);
        keep_open_ = far_end_ = -1;
    }

    mutable std::mutex mutex;
    fastpose_wire::Core core{*this};
    std::map<int, int> levels_;
    std::vector<SimulatedEdge> edges_;
    std::atomic<bool> frozen{false};

  private:
    [[nodiscard]] std::uint64_t us(std::int64_t host_ns) const noexcept {
        return static_cast<std::uint64_t>(device_ns(host_ns) / 1000);
    }
    void run() {
        set_up_this_thread({.name = "fp-sim-board"});
        while (!stop_) {
            wait_for_bytes();
            if (frozen) continue;
            const std::lock_guard lock(mutex);
            take_bytes();
            core.tick();
        }
    }
    void wait_for_bytes() const {
        constexpr int tick_ms = 1;
        pollfd request{far_end_, POLLIN, 0};
        if (frozen || request.fd < 0)
            sleep_until_ns(fastpose::now_ns() + tick_ms * std::int64_t{1'000'000});
        else
            ::poll(&request, 1, tick_ms);
    }
    void take_bytes() {
        std::array<std::uint8_t, 256> bytes{};
        pollfd request{far_end_, POLLIN, 0};
        if (far_end_ < 0 || ::poll(&request, 1, 0) <= 0 || (request.revents & POLLIN) == 0) return;
        const ssize_t count = ::read(far_end_, bytes.data(), bytes.size());
        for (ssize_t i = 0; i < count; ++i) core.receive(bytes[static_cast<std::size_t>(i)]);
    }

    FirmwareSimulatorSpec spec_;
    std::int64_t start_ns_;
    std::atomic<int> far_end_;
    int keep_open_ = -1, replies_to_lose_ = 0;
    std::map<int, std::uint8_t> inputs_;  // of a pin
    std::map<int, int> wires_;            // input pin of an output pin
    std::atomic<bool> stop_{false};
    std::thread thread_;
};

FirmwareSimulator::FirmwareSimulator(const FirmwareSimulatorSpec& spec)
    : device_(std::make_unique<Device>(spec, path_)) {}

FirmwareSimulator::~FirmwareSimulator() = default;

int FirmwareSimulator::level(int pin) const {
    const std::lock_guard lock(device_->mutex);
    const auto found = device_->levels_.find(pin);
    return found == device_->levels_.end() ? 0 : found->second;
}

std::vector<SimulatedEdge> FirmwareSimulator::edges() const {
    const std::lock_guard lock(device_->mutex);
    return device_->edges_;
}

bool FirmwareSimulator::armed() const {
    const std::lock_guard lock(device_->mutex);
    return device_->core.armed();
}

std::int64_t FirmwareSimulator::device_ns(std::int64_t host_ns) const noexcept {
    return device_->device_ns(host_ns);
}

void FirmwareSimulator::drive_input(int pin, bool high, std::int64_t host_ns) {
    const std::lock_guard lock(device_->mutex);
    device_->note_input(pin, high, host_ns == 0 ? now_ns() : host_ns);
}

void FirmwareSimulator::connect(int output_pin, int input_pin) {
    const std::lock_guard lock(device_->mutex);
    device_->connect(output_pin, input_pin);
}

void FirmwareSimulator::unplug() {
    const std::lock_guard lock(device_->mutex);
    device_->unplug();
}

void FirmwareSimulator::freeze(bool frozen) { device_->frozen = frozen; }

void FirmwareSimulator::lose_replies(int count) {
    const std::lock_guard lock(device_->mutex);
    device_->lose_replies(count);
}

}  // namespace fastpose
