// The serial port by termios: raw, exclusive, low latency where granted, writes bounded in time.
#include <fcntl.h>
#include <linux/serial.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <mutex>
#include <system_error>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "output/serial_output.h"

namespace fastpose {
namespace {

// clang-format off
constexpr std::array baud_rates{
    std::pair<int, speed_t>{9600, B9600}, std::pair<int, speed_t>{19200, B19200}, std::pair<int, speed_t>{38400, B38400},
    std::pair<int, speed_t>{57600, B57600}, std::pair<int, speed_t>{115200, B115200}, std::pair<int, speed_t>{230400, B230400},
    std::pair<int, speed_t>{460800, B460800}, std::pair<int, speed_t>{500000, B500000}, std::pair<int, speed_t>{576000, B576000},
    std::pair<int, speed_t>{921600, B921600}, std::pair<int, speed_t>{1000000, B1000000}, std::pair<int, speed_t>{1152000, B1152000},
    std::pair<int, speed_t>{1500000, B1500000}, std::pair<int, speed_t>{2000000, B2000000}, std::pair<int, speed_t>{2500000, B2500000},
    std::pair<int, speed_t>{3000000, B3000000}, std::pair<int, speed_t>{3500000, B3500000}, std::pair<int, speed_t>{4000000, B4000000},
};
// clang-format on

speed_t speed_of(const SerialSpec& spec) {
    std::string allowed;
    for (const auto& [baud, speed] : baud_rates) {
        if (baud == spec.baud) return speed;
        allowed += (allowed.empty() ? "" : ", ") + std::to_string(baud);
    }
    throw OutputError("output port '" + spec.path + "': baud " + std::to_string(spec.baud) +
                      " is not supported; allowed: " + allowed);
}

std::string ports_here() {
    std::vector<std::string> ports;
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator("/dev", ignored)) {
        const std::string name = entry.path().filename().string();
        if (name.starts_with("ttyACM") || name.starts_with("ttyUSB")) ports.push_back(entry.path().string());
    }
    if (ports.empty()) return "no /dev/ttyACM* or /dev/ttyUSB* is plugged in";
    std::sort(ports.begin(), ports.end());
    std::string listed = "serial ports here:";
    for (const auto& port : ports) listed += ' ' + port;
    return listed;
}

std::string advice(int error) {
    if (error == ENOENT || error == ENODEV || error == ENXIO) return ports_here();
    if (error == EACCES) return "add your user to the group 'dialout' and log in again";
    if (error == EBUSY) return "close the other program that uses it";
    return "a serial port such as /dev/ttyACM0 is needed";
}

[[noreturn]] void refuse(const SerialSpec& spec, int error) {
    throw OutputError("output port '" + spec.path +
                      "' cannot be opened: " + std::generic_category().message(error) + "; " + advice(error));
}

// Owns a descriptor until set-up has succeeded.
class Descriptor {
  public:
    explicit Descriptor(int value) : value_(value) {}
    ~Descriptor() {
        if (value_ >= 0) ::close(value_);
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    [[nodiscard]] int get() const { return value_; }
    int release() { return std::exchange(value_, -1); }

  private:
    int value_;
};

// TIOCEXCL keeps everybody out but root; the lock keeps out those who ask for it, root too.
void take_alone(int descriptor, const SerialSpec& spec) {
    int exclusive = 0;
    if (ioctl(descriptor, TIOCGEXCL, &exclusive) == 0 && exclusive != 0) refuse(spec, EBUSY);
    if (flock(descriptor, LOCK_EX | LOCK_NB) != 0) refuse(spec, errno == EWOULDBLOCK ? EBUSY : errno);
    if (ioctl(descriptor, TIOCEXCL) != 0) refuse(spec, errno);
}

void make_raw(int descriptor, const SerialSpec& spec, speed_t speed) {
    termios settings{};
    if (tcgetattr(descriptor, &settings) != 0) refuse(spec, errno);
    cfmakeraw(&settings);
    settings.c_cflag |= CLOCAL | CREAD;
    settings.c_cflag &= ~static_cast<tcflag_t>(CRTSCTS | CSTOPB);
    settings.c_cc[VMIN] = 0;
    settings.c_cc[VTIME] = 0;
    cfsetispeed(&settings, speed);
    cfsetospeed(&settings, speed);
    if (tcsetattr(descriptor, TCSANOW, &settings) != 0) refuse(spec, errno);
    tcflush(descriptor, TCIOFLUSH);
}

bool ask_for_low_latency(int descriptor) {
    serial_struct settings{};
    if (ioctl(descriptor, TIOCGSERIAL, &settings) != 0) return false;
    settings.flags |= ASYNC_LOW_LATENCY;
    return ioctl(descriptor, TIOCSSERIAL, &settings) == 0;
}

// Waits until the port takes bytes again; false when the time is up.
bool wait_writable(int descriptor, std::int64_t deadline_ns) {
    const std::int64_t left_ns = deadline_ns - now_ns();
    if (left_ns <= 0) return false;
    pollfd request{descriptor, POLLOUT, 0};
    return poll(&request, 1, static_cast<int>(left_ns / 1'000'000 + 1)) != 0;
}

// 0, or the errno that ended it.
int write_all(int descriptor, std::string_view bytes, int timeout_ms) {
    const std::int64_t deadline_ns = now_ns() + timeout_ms * std::int64_t{1'000'000};
    while (!bytes.empty()) {
        const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
        if (written > 0) {
            bytes.remove_prefix(static_cast<std::size_t>(written));
        } else if (written < 0 && errno != EAGAIN && errno != EINTR) {
            return errno;
        } else if (!wait_writable(descriptor, deadline_ns)) {
            return ETIMEDOUT;
        }
    }
    return 0;
}

}  // namespace

SerialPort::SerialPort(const SerialSpec& spec) : spec_(spec) {
    const speed_t speed = speed_of(spec);
    // O_NONBLOCK: opening does not wait for a carrier, and a full buffer becomes a bounded wait in write_all.
    Descriptor descriptor(::open(spec.path.c_str(), O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC));
    if (descriptor.get() < 0) refuse(spec, errno);
    if (isatty(descriptor.get()) == 0) refuse(spec, ENOTTY);
    take_alone(descriptor.get(), spec);
    make_raw(descriptor.get(), spec, speed);
    low_latency_ = ask_for_low_latency(descriptor.get());
    file_descriptor_ = descriptor.release();
}

SerialPort::~SerialPort() {
    // Explicitly, because a guardian process may still hold the same open file.
    ioctl(file_descriptor_, TIOCNXCL);
    flock(file_descriptor_, LOCK_UN);
    ::close(file_descriptor_);
}

bool SerialPort::write(std::string_view bytes) noexcept {
    const std::lock_guard lock(mutex_);
    const int error = write_all(file_descriptor_, bytes, spec_.write_timeout_ms);
    if (error != 0) last_error_ = error;
    return error == 0;
}

int SerialPort::read(std::span<std::uint8_t> bytes, std::int64_t timeout_ns) noexcept {
    constexpr std::int64_t ns_per_s = 1'000'000'000;
    pollfd request{file_descriptor_, POLLIN, 0};
    const timespec timeout{timeout_ns / ns_per_s, timeout_ns % ns_per_s};
    if (ppoll(&request, 1, &timeout, nullptr) <= 0) return 0;
    const ssize_t count = ::read(file_descriptor_, bytes.data(), bytes.size());
    if (count > 0) return static_cast<int>(count);
    const bool gone = (request.revents & (POLLHUP | POLLERR | POLLNVAL)) != 0 ||
                      (count < 0 && errno != EAGAIN && errno != EINTR);
    if (!gone) return 0;
    last_error_ = EIO;
    return -1;
}

std::string SerialPort::error() const {
    const int error = last_error_;
    if (error == 0) return "no write has failed";
    if (error == ETIMEDOUT)
        return "the port took no byte within " + std::to_string(spec_.write_timeout_ms) + " ms";
    return std::generic_category().message(error) + " (unplugged?)";
}

}  // namespace fastpose
