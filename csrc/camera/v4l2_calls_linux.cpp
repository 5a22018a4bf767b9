// The system calls as they are.
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>

#include "camera/v4l2_calls.h"

namespace fastpose {
namespace {

// Calls again while a signal interrupts; -errno for a failure.
template <typename Call>
int uninterrupted(Call call) noexcept {
    int result = call();
    while (result < 0 && errno == EINTR) result = call();
    return result < 0 ? -errno : result;
}

class SystemCalls final : public V4l2Calls {
  public:
    int open(const char* path) noexcept override {
        return uninterrupted([&] { return ::open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC); });
    }
    void close(int fd) noexcept override { ::close(fd); }
    int control(int fd, unsigned long request, void* argument) noexcept override {
        return uninterrupted([&] { return ::ioctl(fd, request, argument); });
    }
    void* map(int fd, std::size_t bytes, std::int64_t offset) noexcept override {
        void* address = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, offset);
        return address == MAP_FAILED ? nullptr : address;
    }
    void unmap(void* address, std::size_t bytes) noexcept override { ::munmap(address, bytes); }
    int wait(int fd, std::int64_t timeout_ns) noexcept override {
        constexpr std::int64_t ns_per_s = 1'000'000'000;
        pollfd request{fd, POLLIN, 0};
        const timespec timeout{timeout_ns / ns_per_s, timeout_ns % ns_per_s};
        const int ready = ::ppoll(&request, 1, &timeout, nullptr);
        return ready < 0 ? 0 : ready;
    }
};

}  // namespace

V4l2Calls& system_v4l2_calls() noexcept {
    static SystemCalls calls;
    return calls;
}

}  // namespace fastpose
