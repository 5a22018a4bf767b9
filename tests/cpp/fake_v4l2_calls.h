// The call table over a device in memory.
#pragma once
#include <cerrno>
#include <string>

#include "base/clock.h"
#include "camera/v4l2_calls.h"
#include "fake_v4l2.h"

namespace fastpose::testing {

class FakeV4l2Calls final : public V4l2Calls {
  public:
    explicit FakeV4l2Calls(FakeV4l2& device, std::string path = "/dev/video7")
        : device_(&device), path_(std::move(path)) {}

    // Another device behind the same path.
    void swap_for(FakeV4l2& device) { device_ = &device; }

    int open(const char* path) noexcept override {
        if (path != path_) return -ENOENT;
        const int result = device_->open();
        return result < 0 ? result : fd_;
    }
    void close(int) noexcept override { device_->close(); }
    int control(int fd, unsigned long request, void* argument) noexcept override {
        return fd == fd_ ? device_->control(request, argument) : -EBADF;
    }
    void* map(int, std::size_t bytes, std::int64_t offset) noexcept override {
        return device_->map(bytes, offset);
    }
    void unmap(void*, std::size_t) noexcept override {}
    int wait(int, std::int64_t timeout_ns) noexcept override {
        constexpr std::int64_t step_ns = 100'000;
        const std::int64_t give_up_ns = now_ns() + timeout_ns;
        while (!device_->frame_waits()) {
            if (now_ns() + step_ns > give_up_ns) return 0;
            sleep_until_ns(now_ns() + step_ns);
        }
        return 1;
    }

  private:
    FakeV4l2* device_;
    std::string path_;
    static constexpr int fd_ = 42;
};

}  // namespace fastpose::testing
