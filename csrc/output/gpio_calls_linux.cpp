// The system calls as they are.
#include "output/gpio_calls.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>

namespace fastpose {
namespace {

class SystemCalls final : public GpioCalls {
  public:
    int open(const char* path) noexcept override { return result_of(::open(path, O_RDWR | O_CLOEXEC)); }
    void close(int fd) noexcept override { ::close(fd); }
    int control(int fd, unsigned long request, void* argument) noexcept override {
        int result = ::ioctl(fd, request, argument);
        while (result < 0 && errno == EINTR) result = ::ioctl(fd, request, argument);
        return result_of(result);
    }

  private:
    static int result_of(int result) noexcept { return result < 0 ? -errno : result; }
};

}  // namespace

GpioCalls& system_gpio_calls() noexcept {
    static SystemCalls calls;
    return calls;
}

}  // namespace fastpose
