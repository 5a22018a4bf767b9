// An open V4L2 device: its calls with errors in words.
#pragma once
#include <string>

#include "camera/v4l2_calls.h"

namespace fastpose {

// Owns the descriptor. Thread-bound.
class V4l2Device {
  public:
    // Throws CameraError: not there, no rights, no capture device.
    V4l2Device(V4l2Calls& calls, std::string path);
    ~V4l2Device();
    V4l2Device(const V4l2Device&) = delete;
    V4l2Device& operator=(const V4l2Device&) = delete;

    // Throws CameraError; closes what was open before.
    void open();
    void close() noexcept;
    [[nodiscard]] bool is_open() const noexcept { return fd_ >= 0; }

    // 0 or more, or -errno.
    template <typename Argument>
    int call(unsigned long request, Argument& argument) noexcept {
        return calls_.control(fd_, request, &argument);
    }
    // Throws CameraError "cannot <action>: <reason>".
    template <typename Argument>
    void demand(unsigned long request, Argument& argument, const char* action) {
        if (const int result = call(request, argument); result < 0) refuse(action, -result);
    }
    // Throws CameraError "camera '<path>': <what>".
    [[noreturn]] void fail(const std::string& what) const;
    [[noreturn]] void refuse(const char* action, int error) const;

    [[nodiscard]] int wait(std::int64_t timeout_ns) noexcept { return calls_.wait(fd_, timeout_ns); }
    [[nodiscard]] void* map(std::size_t bytes, std::int64_t offset) noexcept {
        return calls_.map(fd_, bytes, offset);
    }
    void unmap(void* address, std::size_t bytes) noexcept { calls_.unmap(address, bytes); }

    [[nodiscard]] const std::string& path() const noexcept { return path_; }
    [[nodiscard]] const std::string& card() const noexcept { return card_; }
    [[nodiscard]] const std::string& driver() const noexcept { return driver_; }
    [[nodiscard]] const std::string& bus() const noexcept { return bus_; }

  private:
    void read_identity();

    V4l2Calls& calls_;
    std::string path_, card_, driver_, bus_;
    int fd_ = -1;
};

}  // namespace fastpose
