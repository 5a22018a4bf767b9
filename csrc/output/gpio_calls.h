// The system calls that a GPIO line needs, as a table: the real one, or a chip made for a test.
#pragma once

namespace fastpose {

// Results are those of the calls, with -errno for a failure; no call is ever interrupted (EINTR).
class GpioCalls {
  public:
    virtual ~GpioCalls() = default;
    [[nodiscard]] virtual int open(const char* path) noexcept = 0;
    virtual void close(int fd) noexcept = 0;
    [[nodiscard]] virtual int control(int fd, unsigned long request, void* argument) noexcept = 0;
};

// Linux itself. Thread-safe.
[[nodiscard]] GpioCalls& system_gpio_calls() noexcept;

}  // namespace fastpose
