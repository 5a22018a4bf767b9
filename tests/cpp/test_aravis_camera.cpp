// The GenICam driver on Aravis' own cameras: the one in this process and the GigE one behind the loopback.
#include "camera/aravis_camera.h"

#include <arv.h>
#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <set>

#include "base/clock.h"
#include "base/error.h"
#include "camera/aravis_found.h"
#include "camera/grab_cost.h"
#include "fake_gige_camera.h"
#include "frame/ring.h"

namespace fastpose {
namespace {

constexpr std::int64_t ms = 1'000'000;

// A ring, a camera and what the engine's grabber does with them.
class Rig {
  public:
    explicit Rig(const AravisSpec& spec) : camera(make_aravis_camera(spec)) {
        static int count = 0;
        const CameraInfo& info = camera->info();
        RingSpec ring_spec{.slots = 24, .width = info.width, .height = info.height, .format = info.format};
        ring_spec.recorder = false;
        ring_spec.producer_slots = camera->depth();
        ring_spec.buffer_bytes = info.buffer_bytes;
        ring = Ring::create(
            "/fastpose-test-aravis-" + std::to_string(getpid()) + "-" + std::to_string(count++), ring_spec);
    }

    void lend() {
        while (static_cast<int>(lent.size()) < camera->depth()) {
            const int slot = ring->acquire(0);
            if (slot < 0) return;
            lent.insert(slot);
            camera->lend(slot, ring->buffer(slot));
        }
    }
    void arm() {
        lend();
        camera->arm();
    }
    // The next that is no timeout, in a few seconds.
    Grab grab(FrameMeta& meta, std::int64_t wait_ns = 8000 * ms) {
        for (const std::int64_t end_ns = now_ns() + wait_ns; now_ns() < end_ns;) {
            lend();
            const Grab result = camera->grab(meta, 100 * ms);
            if (result.slot >= 0) {
                EXPECT_EQ(lent.erase(result.slot), 1U) << "a slot that was not lent";
            }
            if (result.status != GrabStatus::timeout) return result;
        }
        return {};
    }
    void disarm() {
        camera->disarm();
        for (const int slot : lent) ring->release(slot);
        lent.clear();
    }

    std::unique_ptr<AravisCamera> camera;
    std::unique_ptr<Ring> ring;
    std::set<int> lent;
};

AravisSpec small(const std::string& serial) {
    AravisSpec spec;
    spec.serial = serial;
    spec.size = {128, 64};
    spec.pixel_format = PixelFormat::mono8;
    spec.rate_hz = 100;
    spec.exposure_us = 2000;
    spec.gige.packet_size = 8000;
    spec.gige.frame_retention_ms = 200;  // the fake shares this machine's cores with us
    return spec;
}

std::string in_process() {
    enable_aravis_fake();
    return "Fake_1";
}

std::string error_of(const AravisSpec& spec) {
    try {
        static_cast<void>(make_aravis_camera(spec));
    } catch (const CameraError& error) {
        return error.what();
    }
    return "";
}

TEST(AravisCamera, DeliversFramesInOrderIntoLentMemory) {
    Rig rig(small(in_process()));
    rig.arm();
    std::int64_t counter = -1, camera_ns = 0;
    for (int i = 0; i < 20; ++i) {
        FrameMeta meta;
        const Grab grab = rig.grab(meta);
        ASSERT_EQ(grab.status, GrabStatus::frame);
        EXPECT_GT(meta.camera_counter, counter);
        EXPECT_GT(meta.camera_timestamp_ns, camera_ns);
        EXPECT_LE(meta.received_ns, now_ns());
        EXPECT_EQ(meta.width, 128);
        EXPECT_EQ(meta.height, 64);
        counter = meta.camera_counter;
        camera_ns = meta.camera_timestamp_ns;
        // The fake draws a diagonal ramp.
        const auto pixels = rig.ring->pixels(grab.slot);
        EXPECT_NE(pixels[0], pixels[20]);
        EXPECT_EQ(pixels[1], pixels[128]);
        rig.ring->release(grab.slot);
    }
    rig.disarm();
}

TEST(AravisCamera, TheCountRunsOnWhenTheCamerasOwnWraps) {
    AravisSpec spec = small(in_process());
    spec.size = {16, 16};
    spec.rate_hz = 1000;
    Rig rig(spec);
    rig.arm();
    FrameMeta meta;
    for (std::int64_t counter = -1; counter < 65'600;
         counter = meta.camera_counter) {  // the fake begins at 65400
        const Grab grab = rig.grab(meta);
        ASSERT_EQ(grab.status, GrabStatus::frame);
        EXPECT_GT(meta.camera_counter, counter);
        EXPECT_EQ(meta.flags & frame_counter_reset, 0);
        rig.ring->release(grab.slot);
    }
    rig.disarm();
}

TEST(AravisCamera, TellsWhatWasReallySet) {
    AravisSpec spec = small(in_process());
    spec.size = {640, 480};
    spec.offset = {16, 32};
    spec.rate_hz = 150;  // the fake counts whole microseconds
    const auto camera = make_aravis_camera(spec);
    EXPECT_EQ(camera->info().width, 640);
    EXPECT_EQ(camera->info().height, 480);
    EXPECT_NEAR(camera->info().rate_hz, 150.0, 0.1);
    EXPECT_EQ(camera->info().exposure_ns, 2'000'000);
    EXPECT_EQ(camera->info().buffer_bytes, 640 * 480);
    EXPECT_EQ(camera->info().stride_bytes, 0);
    EXPECT_EQ(camera->depth(), 8);
    EXPECT_EQ(camera->details().at("model"), "Fake");
}

TEST(AravisCamera, RefusesWithWhatTheCameraAllows) {
    AravisSpec spec = small(in_process());
    spec.size = {4096, 64};
    EXPECT_NE(error_of(spec).find("size: width is 4096; this camera allows 1 to 2048"), std::string::npos)
        << error_of(spec);
    spec = small(in_process());
    spec.exposure_us = 1;
    EXPECT_NE(error_of(spec).find("exposure_us is 1; this camera allows 10 to"), std::string::npos);
    spec = small(in_process());
    spec.pixel_format = PixelFormat::yuyv;
    EXPECT_NE(error_of(spec).find("pixel_format is yuyv; this camera allows mono8, rgb8, bayer_rg8"),
              std::string::npos)
        << error_of(spec);
    spec = small(in_process());
    spec.gain_db = 3;
    EXPECT_NE(error_of(spec).find("no gain in dB"), std::string::npos);
    spec = small(in_process());
    spec.features = {{"NoSuchThing", true}};
    EXPECT_NE(error_of(spec).find("features.NoSuchThing"), std::string::npos);
    spec = small(in_process());
    spec.trigger = {.source = "external_edge", .line = "Line7", .activation = "rising"};
    EXPECT_NE(error_of(spec).find("Line7; this camera allows"), std::string::npos) << error_of(spec);
    EXPECT_NE(error_of(small("nobody")).find("no GenICam camera with serial 'nobody'; found: "),
              std::string::npos);
}

TEST(AravisCamera, NoPixelIsCopiedAfterTheSdk) {
    Rig rig(small(in_process()));
    rig.arm();
    std::set<const void*> addresses;
    for (int i = 0; i < 30; ++i) {
        FrameMeta meta;
        const Grab grab = rig.grab(meta);
        ASSERT_EQ(grab.status, GrabStatus::frame);
        rig.ring->publish(grab.slot, meta);
        const int taken = rig.ring->take(1000 * ms);
        ASSERT_EQ(taken, grab.slot);
        // Where Aravis says that it wrote is where the loop reads.
        EXPECT_EQ(rig.camera->written_at(taken), rig.ring->view(taken).data);
        addresses.insert(rig.ring->view(taken).data);
        rig.ring->release(taken);
    }
    EXPECT_GT(addresses.size(), 3U);
    rig.disarm();
}

TEST(AravisCamera, FramesWithoutLentMemoryAreAGapInTheCount) {
    Rig rig(small(in_process()));
    rig.arm();
    FrameMeta first, last;
    ASSERT_EQ(rig.grab(first).status, GrabStatus::frame);
    sleep_until_ns(now_ns() + 300 * ms);  // 30 exposures, memory for 8
    for (int i = 0; i < 12; ++i) ASSERT_EQ(rig.grab(last).status, GrabStatus::frame);
    rig.disarm();
    const std::string told = rig.camera->statistics();
    EXPECT_NE(told.find("frames complete"), std::string::npos) << told;
    EXPECT_NE(told.find("without memory"), std::string::npos) << told;
}

TEST(AravisCamera, ArmsAgainAfterDisarm) {
    Rig rig(small(in_process()));
    for (int round = 0; round < 3; ++round) {
        rig.arm();
        FrameMeta meta;
        EXPECT_EQ(rig.grab(meta).status, GrabStatus::frame);
        rig.disarm();
        EXPECT_EQ(rig.camera->grab(meta, 0).status, GrabStatus::timeout);
    }
}

TEST(AravisCamera, ASoftwareTriggerKeepsToTheRate) {
    AravisSpec spec = small(in_process());
    spec.trigger.source = "software";
    spec.rate_hz = 20;
    Rig rig(spec);
    EXPECT_EQ(rig.camera->info().rate_hz, 20);
    rig.arm();
    std::int64_t first_ns = 0, last_ns = 0;
    for (int i = 0; i < 6; ++i) {
        FrameMeta meta;
        const Grab grab = rig.grab(meta);
        ASSERT_EQ(grab.status, GrabStatus::frame);
        (i == 0 ? first_ns : last_ns) = meta.camera_timestamp_ns;
        rig.ring->release(grab.slot);
    }
    EXPECT_GT(last_ns - first_ns, 5 * 50 * ms - 60 * ms) << "no more than one a period";
    rig.disarm();
}

TEST(AravisCamera, AnEdgeOnALineStartsExposures) {
    AravisSpec spec = small(in_process());
    spec.trigger = {.source = "external_edge", .line = "Line0", .activation = "rising"};
    Rig rig(spec);
    EXPECT_EQ(rig.camera->info().rate_hz, 100) << "as told: the camera does not know";
    rig.arm();  // the fake has an edge 25 times a second
    FrameMeta meta;
    EXPECT_EQ(rig.grab(meta).status, GrabStatus::frame);
    rig.disarm();
}

TEST(AravisGige, DeliversOverTheNetwork) {
    const FakeGigeCamera fake("GVA");
    if (!fake.answers()) GTEST_SKIP() << "no arv-fake-gv-camera-0.8: apt-get install aravis-tools";
    AravisSpec spec = small(fake.serial());
    spec.size = {640, 480};
    Rig rig(spec);
    EXPECT_EQ(rig.camera->details().at("packet_size"), "8000");
    EXPECT_EQ(rig.camera->details().at("address"), "127.0.0.1");
    rig.arm();
    std::int64_t counter = -1;
    for (int frames = 0; frames < 50;) {
        FrameMeta meta;
        const Grab grab = rig.grab(meta);
        ASSERT_TRUE(grab.status == GrabStatus::frame || grab.status == GrabStatus::failed);
        EXPECT_GT(meta.camera_counter, counter) << "order of exposure";
        counter = meta.camera_counter;
        EXPECT_EQ(rig.camera->written_at(grab.slot), rig.ring->view(grab.slot).data);
        if (grab.status == GrabStatus::frame) {
            ++frames;
            const auto pixels = rig.ring->pixels(grab.slot);
            EXPECT_EQ(pixels[1], pixels[640]);
            EXPECT_EQ(pixels[639 + 640 * 478], pixels[638 + 640 * 479]);
        }
        rig.ring->release(grab.slot);
    }
    rig.disarm();
}

TEST(AravisGige, LostPacketsAreFailedFramesAndGaps) {
    const FakeGigeCamera fake("GVB", 5);
    if (!fake.answers()) GTEST_SKIP() << "no arv-fake-gv-camera-0.8: apt-get install aravis-tools";
    AravisSpec spec = small(fake.serial());
    spec.size = {640, 480};
    spec.gige.packet_size = 1500;
    Rig rig(spec);
    rig.arm();
    std::map<GrabStatus, int> counts;
    std::int64_t counter = -1;
    for (int i = 0; i < 80; ++i) {
        FrameMeta meta;
        const Grab grab = rig.grab(meta);
        ++counts[grab.status];
        ASSERT_TRUE(grab.status == GrabStatus::frame || grab.status == GrabStatus::failed);
        EXPECT_GT(meta.camera_counter, counter) << "order of exposure";
        counter = meta.camera_counter;
        rig.ring->release(grab.slot);
    }
    rig.disarm();
    EXPECT_GT(counts[GrabStatus::failed], 0);
    EXPECT_NE(rig.camera->statistics().find("packets missing"), std::string::npos)
        << rig.camera->statistics();
}

TEST(AravisGige, AnotherRegionThanAnnouncedIsAFailedFrame) {
    GObject* fake = G_OBJECT(arv_gv_fake_camera_new("127.0.0.1", "GVD"));
    const std::unique_ptr<GObject, void (*)(gpointer)> owner(fake, g_object_unref);
    if (!arv_gv_fake_camera_is_running(ARV_GV_FAKE_CAMERA(fake)))
        GTEST_SKIP() << "the loopback's port is taken";
    Rig rig(small("GVD"));
    rig.arm();
    FrameMeta meta;
    ASSERT_EQ(rig.grab(meta).status, GrabStatus::frame);
    ArvFakeCamera* registers = arv_gv_fake_camera_get_fake_camera(ARV_GV_FAKE_CAMERA(fake));
    arv_fake_camera_write_register(registers, ARV_FAKE_CAMERA_REGISTER_HEIGHT, 32);
    Grab grab;
    while ((grab = rig.grab(meta)).status == GrabStatus::frame) rig.ring->release(grab.slot);
    EXPECT_EQ(grab.status, GrabStatus::failed);
    EXPECT_GT(meta.camera_counter, 0);
    rig.disarm();
    EXPECT_NE(rig.camera->statistics().find("of another size or format"), std::string::npos)
        << rig.camera->statistics();
}

TEST(AravisGige, ACameraThatDiesIsNoticedAndComesBack) {
    FakeGigeCamera fake("GVC");
    if (!fake.answers()) GTEST_SKIP() << "no arv-fake-gv-camera-0.8: apt-get install aravis-tools";
    Rig rig(small(fake.serial()));
    rig.arm();
    FrameMeta meta;
    ASSERT_EQ(rig.grab(meta).status, GrabStatus::frame);
    const std::int64_t counter = meta.camera_counter;
    fake.kill();
    Grab grab;
    while ((grab = rig.grab(meta)).status == GrabStatus::frame) rig.ring->release(grab.slot);
    ASSERT_EQ(grab.status, GrabStatus::disconnected);
    rig.disarm();
    EXPECT_THROW(rig.arm(), CameraError);
    rig.disarm();
    fake.start();
    ASSERT_TRUE(fake.answers());
    rig.arm();
    ASSERT_EQ(rig.grab(meta).status, GrabStatus::frame);
    EXPECT_GT(meta.camera_counter, counter);
    EXPECT_NE(meta.flags & frame_counter_reset, 0);
    rig.disarm();
}

TEST(GrabCost, MeasuresEveryFrameThatItPassesOn) {
    AravisSpec spec = small(in_process());
    Rig rig(spec);
    const GrabCost cost = measure_grab_cost(*rig.camera, *rig.ring, 20);
    EXPECT_EQ(cost.failed, 0);
    EXPECT_GE(cost.queued_ns.size(), 10U);
    EXPECT_GE(cost.live_ns.size(), 10U);
    for (const std::int64_t one_ns : cost.queued_ns) EXPECT_GT(one_ns, 0);
}

}  // namespace
}  // namespace fastpose
