// Slots lent to a driver, failed frames, and a camera that comes back.
#include "engine/grabber.h"

#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <vector>

#include "base/clock.h"
#include "base/error.h"

namespace fastpose {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

// Plays a list of outcomes into the slots it was lent, oldest first; then waits for the next arm().
class ScriptedCamera final : public Camera {
  public:
    ScriptedCamera(int depth, std::vector<std::vector<GrabStatus>> lives)
        : depth_(depth), lives_(std::move(lives)) {}
    [[nodiscard]] const CameraInfo& info() const noexcept override { return info_; }
    [[nodiscard]] int depth() const noexcept override { return depth_; }
    void lend(int slot, std::span<std::uint8_t> memory) noexcept override {
        lent_.push_back(slot);
        most_lent = std::max(most_lent, static_cast<int>(lent_.size()));
        memory_bytes = memory.size();
        memory[0] = 7;
    }
    void arm() override {
        if (refusals_ > 0 && life_ > 0) {
            --refusals_;
            throw CameraError("not there yet");
        }
        counter_ = 0;
        script_ = lives_.at(static_cast<std::size_t>(life_++));
    }
    Grab grab(FrameMeta& meta, std::int64_t) noexcept override {
        if (script_.empty()) return {GrabStatus::finished};
        const GrabStatus status = script_.front();
        script_.erase(script_.begin());
        if (status != GrabStatus::frame && status != GrabStatus::failed) return {status};
        meta.camera_counter = counter_++;
        meta.received_ns = now_ns();
        if (clock != nullptr) meta.camera_timestamp_ns = *clock + meta.received_ns - 5'000'000;
        const int slot = lent_.front();
        lent_.pop_front();
        return {status, slot};
    }
    bool latch_clock(ClockPair& pair) noexcept override {
        if (clock == nullptr || !latches) return false;
        pair.host_before_ns = now_ns();
        pair.camera_ns = *clock + now_ns();
        pair.host_after_ns = now_ns();
        return true;
    }
    [[nodiscard]] std::string ptp_state() override { return "Master"; }
    void disarm() noexcept override { lent_.clear(); }

    // Its clock minus the host's; null: it has none.
    std::shared_ptr<std::int64_t> clock;
    bool latches = true;
    int most_lent = 0;
    std::size_t memory_bytes = 0;

  private:
    CameraInfo info_{PixelFormat::mono8, 8, 4, 100, 0};
    int depth_, life_ = 0, refusals_ = 1;
    std::vector<std::vector<GrabStatus>> lives_;
    std::vector<GrabStatus> script_;
    std::deque<int> lent_;
    std::int64_t counter_ = 0;
};

struct Session {
    std::shared_ptr<Ring> ring;
    FaultSlot faults;

    explicit Session(int depth, std::int64_t buffer_bytes = 0) {
        RingSpec spec{.slots = 16, .width = 8, .height = 4};
        spec.recorder = false;
        spec.producer_slots = depth;
        spec.buffer_bytes = buffer_bytes;
        ring = Ring::create("/fastpose-test-grabber-" + std::to_string(now_ns()), spec);
    }
    void play(const std::shared_ptr<ScriptedCamera>& camera, bool reconnect = false) {
        Grabber grabber("cam", camera, ring, faults, {.name = "fp-test"}, reconnect);
        grabber.start();
        ring->start();
        const std::int64_t give_up_ns = now_ns() + 10 * kSecond;
        const auto ended = [&] {
            return ring->producer_state() == HostState::finished ||
                   ring->producer_state() == HostState::failed;
        };
        while (!ended() && now_ns() < give_up_ns) sleep_until_ns(now_ns() + 1'000'000);
        ASSERT_TRUE(ended());
    }
    std::vector<LedgerEntry> ledger() {
        std::vector<LedgerEntry> entries;
        for (LedgerEntry entry; ring->next_ledger_entry(entry);) entries.push_back(entry);
        return entries;
    }
    [[nodiscard]] int free_slots() const {
        int free = 0;
        while (ring->acquire(0) >= 0) ++free;
        return free;
    }
};

using enum GrabStatus;

TEST(Grabber, LendsAsManySlotsAsTheDriverWantsAndTakesAllBack) {
    Session run(5, 1000);
    const auto camera = std::make_shared<ScriptedCamera>(
        5, std::vector<std::vector<GrabStatus>>{{frame, frame, frame, timeout, frame}});
    run.play(camera);
    EXPECT_EQ(camera->most_lent, 5);
    EXPECT_GE(camera->memory_bytes, 1000U);
    EXPECT_EQ(run.ring->counts().published, 4);
    EXPECT_EQ(run.free_slots(), 15);  // all but the one in the mailbox
}

TEST(Grabber, AFailedFrameIsAnExposureWithAReason) {
    Session run(2);
    run.play(
        std::make_shared<ScriptedCamera>(2, std::vector<std::vector<GrabStatus>>{{frame, failed, frame}}));
    EXPECT_EQ(run.ring->counts().failed, 1);
    EXPECT_EQ(run.ring->counts().missing, 0);
    std::vector<std::int64_t> failed_counters;
    for (const LedgerEntry& entry : run.ledger())
        if (entry.fate == Fate::failed) failed_counters.push_back(entry.meta.camera_counter);
    EXPECT_EQ(failed_counters, std::vector<std::int64_t>{1});
    EXPECT_EQ(run.free_slots(), 15);
}

TEST(Grabber, ACameraThatIsGoneIsAFault) {
    Session run(2);
    run.play(std::make_shared<ScriptedCamera>(
        2, std::vector<std::vector<GrabStatus>>{{frame, disconnected, frame}}));
    EXPECT_THROW(run.faults.rethrow(), CameraDisconnected);
    EXPECT_EQ(run.ring->producer_state(), HostState::failed);
}

TEST(Grabber, ACameraThatComesBackGoesOnCounting) {
    Session run(3);
    run.play(std::make_shared<ScriptedCamera>(
                 3, std::vector<std::vector<GrabStatus>>{{frame, frame, disconnected}, {frame, frame}}),
             true);
    EXPECT_FALSE(run.faults.raised());
    EXPECT_EQ(run.ring->counts().times_lost, 1);
    EXPECT_EQ(run.ring->counts().published, 4);
    EXPECT_EQ(run.ring->counts().missing, 0);
    const int slot = run.ring->take(0);
    ASSERT_GE(slot, 0);
    EXPECT_EQ(run.ring->meta(slot).camera_counter, 3);
    for (const LedgerEntry& entry : run.ledger())
        EXPECT_EQ((entry.meta.flags & frame_counter_reset) != 0, entry.meta.camera_counter == 2);
}

TEST(Grabber, FitsAClockThatCanBeRead) {
    Session run(1);
    const auto camera =
        std::make_shared<ScriptedCamera>(1, std::vector<std::vector<GrabStatus>>{{frame, frame, failed}});
    camera->clock = std::make_shared<std::int64_t>(77 * kSecond);
    run.play(camera);
    const FrameMeta& meta = run.ring->meta(run.ring->take(0));
    EXPECT_EQ(meta.flags & frame_clock_unfitted, 0);
    EXPECT_GT(meta.exposure_error_ns, 0);
    EXPECT_LT(meta.exposure_error_ns, 1'000'000);
    EXPECT_NEAR(static_cast<double>(meta.exposure_start_ns - (meta.received_ns - 5'000'000)), 0,
                meta.exposure_error_ns);
    const ClockReport clock = run.ring->clock();
    EXPECT_EQ(clock.source, ClockSource::latched);
    EXPECT_GE(clock.readings, 8);
    EXPECT_NEAR(static_cast<double>(clock.offset_ns), -77e9, 1e6);
    EXPECT_STREQ(clock.ptp.data(), "Master");
    for (const LedgerEntry& entry : run.ledger())
        if (entry.fate == Fate::failed) {
            EXPECT_GT(entry.meta.exposure_error_ns, 0);
        }
}

TEST(Grabber, FitsAClockThatCannotBeReadFromItsFrames) {
    Session run(1);
    const auto camera =
        std::make_shared<ScriptedCamera>(1, std::vector<std::vector<GrabStatus>>{{frame, frame}});
    camera->clock = std::make_shared<std::int64_t>(-77 * kSecond);
    camera->latches = false;
    run.play(camera);
    const FrameMeta& meta = run.ring->meta(run.ring->take(0));
    EXPECT_EQ(meta.flags & frame_clock_unfitted, 0);
    EXPECT_GE(meta.exposure_error_ns, 5'000'000);  // half a period at 100 Hz
    EXPECT_NEAR(static_cast<double>(meta.exposure_start_ns - (meta.received_ns - 5'000'000)), 0,
                meta.exposure_error_ns);
}

TEST(Grabber, WithoutAClockTheTimeIsAGuess) {
    Session run(1);
    run.play(std::make_shared<ScriptedCamera>(1, std::vector<std::vector<GrabStatus>>{{frame}}));
    const FrameMeta& meta = run.ring->meta(run.ring->take(0));
    EXPECT_NE(meta.flags & frame_clock_unfitted, 0);
    EXPECT_EQ(meta.exposure_error_ns, 0);
    EXPECT_EQ(meta.exposure_start_ns, meta.received_ns);
    EXPECT_EQ(run.ring->clock().source, ClockSource::none);
}

}  // namespace
}  // namespace fastpose
