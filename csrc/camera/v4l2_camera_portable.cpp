// V4L2 is Linux's.
#include "base/error.h"
#include "camera/v4l2_camera.h"

namespace fastpose {
namespace {

constexpr const char* refusal = "driver v4l2 needs Linux; use driver: stream for a webcam on other systems";

}  // namespace

V4l2Calls& system_v4l2_calls() noexcept {
    class None final : public V4l2Calls {
      public:
        int open(const char*) noexcept override { return -1; }
        void close(int) noexcept override {}
        int control(int, unsigned long, void*) noexcept override { return -1; }
        void* map(int, std::size_t, std::int64_t) noexcept override { return nullptr; }
        void unmap(void*, std::size_t) noexcept override {}
        int wait(int, std::int64_t) noexcept override { return 0; }
    };
    static None calls;
    return calls;
}

V4l2Description describe_v4l2(const std::string&, V4l2Calls&) { throw CameraError(refusal); }

std::unique_ptr<V4l2Camera> make_v4l2_camera(const V4l2Spec&, V4l2Calls&) { throw CameraError(refusal); }

}  // namespace fastpose
