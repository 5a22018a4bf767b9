// The system calls that a V4L2 camera needs, as a table: the real one, or a device made for a test.
#pragma once
#include <cstddef>
#include <cstdint>

namespace fastpose {

// Results are those of the calls, with -errno for a failure; no call is ever interrupted (EINTR).
class V4l2Calls {
  public:
    virtual ~V4l2Calls() = default;
    // Opened for reading and writing, not blocking.
    [[nodiscard]] virtual int open(const char* path) noexcept = 0;
    virtual void close(int fd) noexcept = 0;
    [[nodiscard]] virtual int control(int fd, unsigned long request, void* argument) noexcept = 0;
    // nullptr where the device maps nothing.
    [[nodiscard]] virtual void* map(int fd, std::size_t bytes, std::int64_t offset) noexcept = 0;
    virtual void unmap(void* address, std::size_t bytes) noexcept = 0;
    // 1: a buffer, or an error that control() will tell, waits; 0: the time is up.
    [[nodiscard]] virtual int wait(int fd, std::int64_t timeout_ns) noexcept = 0;
};

// Linux itself. Thread-safe.
[[nodiscard]] V4l2Calls& system_v4l2_calls() noexcept;

}  // namespace fastpose
