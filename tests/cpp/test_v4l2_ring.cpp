// From the device's buffers to the loop's hands: no pixel is copied on the way, by addresses.
#include <gtest/gtest.h>

#include <set>

#include "base/clock.h"
#include "camera/v4l2_camera.h"
#include "engine/grabber.h"
#include "fake_v4l2.h"
#include "fake_v4l2_calls.h"

namespace fastpose {
namespace {

using testing::FakeV4l2;
using testing::FakeV4l2Calls;
using testing::FakeV4l2Setup;

constexpr int width = 1280, height = 1024;
constexpr std::int64_t ms = 1'000'000, second = 1000 * ms;

FakeV4l2Setup large() {
    FakeV4l2Setup setup;
    setup.modes = {{V4L2_PIX_FMT_GREY, width, height, {{1, 100}}}};
    return setup;
}

// A V4L2 camera, its ring and its grabber, as in a session.
class Session {
  public:
    explicit Session(bool reconnect = false) : device(large()), calls_(device) {
        V4l2Spec spec;
        spec.path = "/dev/video7";
        camera_ = make_v4l2_camera(spec, calls_);
        const CameraInfo& info = camera_->info();
        RingSpec ring_spec{.slots = 16, .width = info.width, .height = info.height};
        ring_spec.recorder = false;
        ring_spec.stride_bytes = info.stride_bytes;
        ring_spec.producer_slots = camera_->depth();
        ring_spec.buffer_bytes = info.buffer_bytes;
        ring = Ring::create("/fastpose-test-v4l2-" + std::to_string(now_ns()), ring_spec);
        grabber_ = std::make_unique<Grabber>("cam", camera_, ring, faults, ThreadRequest{.name = "fp-test"},
                                             reconnect);
        grabber_->start();
        ring->start();
        wait_until([&] { return device.streaming(); });
    }
    ~Session() { ring->request_stop(); }

    template <typename Condition>
    static bool wait_until(Condition condition) {
        const std::int64_t give_up_ns = now_ns() + 10 * second;
        while (!condition() && now_ns() < give_up_ns) sleep_until_ns(now_ns() + ms / 10);
        return condition();
    }
    int next() {
        device.expose(now_ns());
        return ring->take(10 * second);
    }

    FakeV4l2 device;
    std::shared_ptr<Ring> ring;
    FaultSlot faults;

  private:
    FakeV4l2Calls calls_;
    std::shared_ptr<V4l2Camera> camera_;
    std::unique_ptr<Grabber> grabber_;
};

TEST(V4l2Ring, TheLoopSeesTheVeryMemoryThatTheDriverFilled) {
    Session session;
    std::set<const void*> addresses;
    for (std::uint32_t n = 0; n < 40; ++n) {
        const int slot = session.next();
        ASSERT_GE(slot, 0);
        const FrameView frame = session.ring->view(slot);
        const auto filled = session.device.filled().back();
        EXPECT_TRUE(filled.user_memory);
        EXPECT_EQ(frame.data, filled.address);
        EXPECT_EQ(frame.data[700 * frame.stride_bytes + 900], testing::fake_pixel(900, 700, n));
        addresses.insert(frame.data);
        session.ring->release(slot);
    }
    EXPECT_EQ(session.device.maps(), 0);
    EXPECT_GT(addresses.size(), 8U);
}

TEST(V4l2Ring, ExposureStartIsTheDriversStampInHostTime) {
    Session session;
    const int slot = session.next();
    ASSERT_GE(slot, 0);
    const FrameMeta& meta = session.ring->meta(slot);
    EXPECT_EQ(meta.flags & frame_clock_unfitted, 0);
    EXPECT_NEAR(static_cast<double>(meta.exposure_start_ns), static_cast<double>(meta.camera_timestamp_ns),
                2000);
}

TEST(V4l2Ring, PulledOutAndPutBackItGoesOn) {
    Session session(true);
    session.ring->release(session.next());
    session.device.unplug();
    ASSERT_TRUE(Session::wait_until([&] { return session.ring->producer_state() == HostState::lost; }));
    session.device.plug_in();
    ASSERT_TRUE(Session::wait_until([&] { return session.ring->producer_state() == HostState::ready; }));
    const int slot = session.next();
    ASSERT_GE(slot, 0);
    EXPECT_EQ(session.ring->view(slot).data, session.device.filled().back().address);
    EXPECT_NE(session.ring->meta(slot).flags & frame_counter_reset, 0);
    EXPECT_EQ(session.ring->counts().missing, 0);
}

}  // namespace
}  // namespace fastpose
