// Test helper: a pseudo-terminal whose far end plays the microcontroller.
#pragma once
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include <stdexcept>
#include <string>

namespace fastpose::testing {

class PseudoTerminal {
  public:
    PseudoTerminal() : device_(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)) {
        if (device_ < 0 || grantpt(device_) != 0 || unlockpt(device_) != 0)
            throw std::runtime_error("no pseudo-terminal");
        path_ = ptsname(device_);
    }
    ~PseudoTerminal() { unplug(); }
    PseudoTerminal(const PseudoTerminal&) = delete;
    PseudoTerminal& operator=(const PseudoTerminal&) = delete;

    [[nodiscard]] const std::string& path() const { return path_; }

    // What has arrived; waits up to a second until there are `count` bytes.
    std::string read(std::size_t count) const {
        std::string bytes;
        pollfd request{device_, POLLIN, 0};
        while (bytes.size() < count && poll(&request, 1, 1000) > 0) {
            char buffer[256];
            const ssize_t got = ::read(device_, buffer, sizeof buffer);
            if (got <= 0) break;
            bytes.append(buffer, static_cast<std::size_t>(got));
        }
        return bytes;
    }

    // Pulls the cable.
    void unplug() {
        if (device_ >= 0) ::close(device_);
        device_ = -1;
    }

  private:
    int device_;
    std::string path_;
};

}  // namespace fastpose::testing
