// The frame ring: newest wins, every frame for the recorder, nothing lost without a row.
#include "frame/ring.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/error.h"

namespace fastpose {
namespace {

constexpr std::int64_t ms = 1'000'000;

std::unique_ptr<Ring> make_ring(FramePolicy policy = FramePolicy::newest, int slots = 8,
                                bool recorder = true) {
    static int count = 0;
    const std::string name =
        "/fastpose-" + std::to_string(this_process_id()) + "-test" + std::to_string(count++);
    return Ring::create(name, {slots, 16, 8, PixelFormat::mono8, policy, true, recorder});
}

std::int64_t publish(Ring& ring, std::int64_t counter) {
    const int slot = ring.acquire(1000 * ms);
    EXPECT_GE(slot, 0);
    std::memset(ring.pixels(slot).data(), static_cast<int>(counter), ring.pixels(slot).size());
    FrameMeta meta;
    meta.camera_counter = counter;
    return ring.publish(slot, meta);
}

std::vector<Fate> fates(Ring& ring) {
    std::vector<Fate> found;
    for (LedgerEntry entry; ring.next_ledger_entry(entry);) found.push_back(entry.fate);
    return found;
}

TEST(Ring, NewestFrameWinsForTheLoop) {
    const auto ring = make_ring(FramePolicy::newest, 8, false);
    for (int i = 0; i < 3; ++i) publish(*ring, i);
    const int slot = ring->take(0);
    ASSERT_GE(slot, 0);
    EXPECT_EQ(ring->meta(slot).frame_id, 2);
    EXPECT_EQ(ring->pixels(slot)[0], 2);
    ring->release(slot);
    EXPECT_EQ(ring->take(0), -1);
    EXPECT_EQ(fates(*ring), (std::vector<Fate>{Fate::superseded, Fate::superseded}));
    EXPECT_EQ(ring->counts().superseded, 2);
}

TEST(Ring, RecorderSeesEveryFrameInOrder) {
    const auto ring = make_ring();
    for (int i = 0; i < 4; ++i) publish(*ring, i);
    for (int i = 0; i < 4; ++i) {
        const int slot = ring->recorder_next(0);
        ASSERT_GE(slot, 0);
        EXPECT_EQ(ring->meta(slot).frame_id, i);
        EXPECT_EQ(ring->pixels(slot)[0], i);
        ring->release(slot);
    }
    EXPECT_EQ(ring->recorder_next(0), -1);
}

TEST(Ring, RecordsOnlyWhatTheLoopTookWhenAsked) {
    RingSpec spec{.slots = 8, .width = 16, .height = 8};
    spec.record_taken = true;
    const auto ring = Ring::create("/fastpose-" + std::to_string(this_process_id()) + "-taken", spec);
    publish(*ring, 0);
    publish(*ring, 1);
    EXPECT_EQ(ring->recorder_next(0), -1);
    const int slot = ring->take(0);
    EXPECT_TRUE(ring->record_taken(slot));
    ring->release(slot);
    publish(*ring, 2);
    ring->set_producer_state(HostState::finished, "");
    const int recorded = ring->recorder_next(0);
    EXPECT_EQ(ring->meta(recorded).frame_id, 1);
    ring->release(recorded);
    EXPECT_FALSE(ring->recorder_drained());  // the loop has frame 2 still to take
    const int last = ring->take(0);
    EXPECT_TRUE(ring->record_taken(last));
    ring->release(last);
    EXPECT_FALSE(ring->recorder_drained());
    ring->release(ring->recorder_next(0));
    EXPECT_TRUE(ring->recorder_drained());
    EXPECT_EQ(ring->counts().not_recorded, 0);
}

TEST(Ring, SaysWhenARecorderOfTakenFramesIsFull) {
    RingSpec spec{.slots = 5, .width = 16, .height = 8};
    spec.record_taken = true;
    const auto ring = Ring::create("/fastpose-" + std::to_string(this_process_id()) + "-full", spec);
    for (const bool room : {true, false}) {
        publish(*ring, 0);
        const int slot = ring->take(0);
        EXPECT_EQ(ring->record_taken(slot), room);
        ring->release(slot);
    }
    EXPECT_EQ(ring->counts().not_recorded, 1);
    spec.loop = false;
    EXPECT_THROW(Ring::create("/fastpose-" + std::to_string(this_process_id()) + "-none", spec), ConfigError);
}

TEST(Ring, SlowRecorderNeverStarvesTheLoop) {
    const auto ring = make_ring();
    for (int i = 0; i < 50; ++i) publish(*ring, i);
    EXPECT_EQ(ring->counts().recorder_queue, 8 - Ring::reserved_slots);
    EXPECT_EQ(ring->counts().not_recorded, 50 - (8 - Ring::reserved_slots));
    const int slot = ring->take(0);
    ASSERT_GE(slot, 0);
    EXPECT_EQ(ring->meta(slot).frame_id, 49);
}

TEST(Ring, GapInTheCounterIsACameraDrop) {
    const auto ring = make_ring(FramePolicy::newest, 8, false);
    publish(*ring, 10);
    publish(*ring, 14);
    EXPECT_EQ(ring->counts().missing, 3);
    std::vector<std::int64_t> missing;
    for (LedgerEntry entry; ring->next_ledger_entry(entry);)
        if (entry.fate == Fate::missing) missing.push_back(entry.meta.camera_counter);
    EXPECT_EQ(missing, (std::vector<std::int64_t>{11, 12, 13}));
}

void fail(Ring& ring, std::int64_t counter) {
    FrameMeta meta;
    meta.camera_counter = counter;
    meta.received_ns = 1;
    ring.note_failed(meta);
}

// (fate, counter) of what was neither processed nor superseded.
std::vector<std::pair<Fate, std::int64_t>> losses(Ring& ring) {
    std::vector<std::pair<Fate, std::int64_t>> found;
    for (LedgerEntry entry; ring.next_ledger_entry(entry);)
        if (entry.fate != Fate::superseded) found.emplace_back(entry.fate, entry.meta.camera_counter);
    return found;
}

using Losses = std::vector<std::pair<Fate, std::int64_t>>;

TEST(Ring, AFailureWithoutANumberIsOneExposureOfTheGap) {
    const auto ring = make_ring(FramePolicy::newest, 8, false);
    publish(*ring, 10);
    fail(*ring, -1);
    EXPECT_TRUE(losses(*ring).empty());
    publish(*ring, 13);
    EXPECT_EQ(losses(*ring), (Losses{{Fate::failed, 11}, {Fate::missing, 12}}));
    EXPECT_EQ(ring->counts().failed, 1);
    EXPECT_EQ(ring->counts().missing, 1);
}

TEST(Ring, FailuresBeyondTheGapKeepNoNumber) {
    const auto ring = make_ring(FramePolicy::newest, 8, false);
    publish(*ring, 10);
    fail(*ring, -1);
    fail(*ring, -1);
    fail(*ring, 12);
    EXPECT_EQ(losses(*ring), (Losses{{Fate::failed, 11}, {Fate::failed, -1}, {Fate::failed, 12}}));
    EXPECT_EQ(ring->counts().missing, 0);
}

TEST(Ring, AFailureAtTheEndIsNotedAsItIs) {
    const auto ring = make_ring(FramePolicy::newest, 8, false);
    fail(*ring, -1);  // nothing was counted yet: no gap can come
    publish(*ring, 10);
    fail(*ring, -1);
    ring->set_producer_state(HostState::finished, "");
    EXPECT_EQ(losses(*ring), (Losses{{Fate::failed, -1}, {Fate::failed, -1}}));
}

TEST(Ring, MoreFailuresThanCanWaitAreNotedAtOnce) {
    const auto ring = make_ring(FramePolicy::newest, 8, false);
    publish(*ring, 0);
    for (int i = 0; i < 20; ++i) fail(*ring, -1);
    publish(*ring, 21);
    EXPECT_EQ(ring->counts().failed, 20);
    EXPECT_EQ(ring->counts().missing, 4);
    EXPECT_EQ(losses(*ring).size(), 24U);
}

TEST(Ring, AbsurdGapIsCountedButNotListed) {
    const auto ring = make_ring(FramePolicy::newest, 8, false);
    publish(*ring, 0);
    publish(*ring, 1'000'001);
    EXPECT_EQ(ring->counts().missing, 1'000'000);
    EXPECT_EQ(fates(*ring).size(), 1000U + 1U);  // and the superseded one
}

TEST(Ring, EveryFramePolicyWaitsForTheLoop) {
    const auto ring = make_ring(FramePolicy::every);
    constexpr int frames = 200;
    std::thread producer([&] {
        for (int i = 0; i < frames; ++i) publish(*ring, i);
        ring->set_producer_state(HostState::finished, "");
    });
    std::thread recorder([&] {
        for (int next = 0; next < frames;) {
            const int slot = ring->recorder_next(1000 * ms);
            if (slot < 0) continue;
            EXPECT_EQ(ring->meta(slot).frame_id, next++);
            ring->release(slot);
        }
    });
    int next = 0;
    while (!ring->loop_drained()) {
        const int slot = ring->take(1000 * ms);
        if (slot < 0) continue;
        EXPECT_EQ(ring->meta(slot).frame_id, next++);
        ring->release(slot);
    }
    producer.join();
    recorder.join();
    EXPECT_EQ(next, frames);
    EXPECT_TRUE(fates(*ring).empty());
}

TEST(Ring, StopFreesAProducerThatWaits) {
    const auto ring = make_ring(FramePolicy::every);
    std::thread producer([&] {
        publish(*ring, 0);
        publish(*ring, 1);  // waits: nobody takes frame 0
    });
    while (ring->counts().published < 2) std::this_thread::yield();
    ring->request_stop();
    producer.join();
    EXPECT_EQ(ring->acquire(1000 * ms), -1);
}

TEST(Ring, FramesSurviveTwoThreadsUnharmed) {
    const auto ring = make_ring(FramePolicy::newest, 6);
    std::thread producer([&] {
        for (int i = 0; i < 5000; ++i) publish(*ring, i);
        ring->set_producer_state(HostState::finished, "");
    });
    std::thread recorder([&] {
        while (!ring->recorder_drained()) {
            const int slot = ring->recorder_next(ms);
            if (slot >= 0) ring->release(slot);
        }
    });
    std::int64_t last = -1, taken = 0;
    while (!ring->loop_drained()) {
        const int slot = ring->take(ms);
        if (slot < 0) continue;
        const auto pixels = ring->pixels(slot);
        EXPECT_GT(ring->meta(slot).frame_id, last);
        last = ring->meta(slot).frame_id;
        EXPECT_EQ(pixels.front(), static_cast<std::uint8_t>(last));
        EXPECT_EQ(pixels.back(), static_cast<std::uint8_t>(last));
        ring->release(slot);
        ++taken;
    }
    producer.join();
    recorder.join();
    EXPECT_EQ(last, 4999);
    EXPECT_EQ(taken + ring->counts().superseded, 5000);
}

TEST(Ring, AnotherMappingSeesTheSameFrames) {
    const auto ring = make_ring();
    const auto other = Ring::attach(ring->name());
    publish(*other, 7);
    const int slot = ring->take(0);
    ASSERT_GE(slot, 0);
    EXPECT_EQ(ring->pixels(slot)[3], 7);
    other->set_producer_state(HostState::failed, "the file ends here");
    EXPECT_EQ(ring->producer_state(), HostState::failed);
    EXPECT_EQ(ring->producer_text(), "the file ends here");
}

TEST(Ring, TheClocksReportIsReadWholeByAnotherMapping) {
    const RingSpec spec{.slots = 8, .width = 8, .height = 4};
    const auto ring = Ring::create("/fastpose-test-clock-" + std::to_string(now_ns()), spec);
    const auto other = Ring::attach(ring->name());
    EXPECT_EQ(other->clock().source, ClockSource::none);
    std::atomic<bool> done{false};
    std::thread writer([&] {
        ClockReport report;
        for (int i = 0; i < 20'000; ++i) {
            report.readings = report.outliers = i;
            report.error_ns = -i;
            set_ptp(report, "Slave and a name that is too long");
            ring->set_clock(report);
        }
        done.store(true);
    });
    while (!done.load()) {
        const ClockReport report = other->clock();
        ASSERT_EQ(report.readings, report.outliers);
        ASSERT_EQ(report.readings, -report.error_ns);
    }
    writer.join();
    EXPECT_STREQ(other->clock().ptp.data(), "Slave and a nam");
}

TEST(Ring, DisabledRecorderGivesItsFramesBack) {
    const auto ring = make_ring();
    for (int i = 0; i < 4; ++i) publish(*ring, i);
    ring->disable_recorder();
    for (int i = 4; i < 40; ++i) publish(*ring, i);
    EXPECT_EQ(ring->counts().recorder_queue, 0);
    EXPECT_EQ(ring->counts().not_recorded, 4);
}

TEST(Ring, AKilledProcessThatNobodyReapedIsDead) {
    const pid_t child = ::fork();
    if (child == 0) ::_exit(0);
    siginfo_t ended{};
    ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(child), &ended, WEXITED | WNOWAIT), 0);  // stays a zombie
    EXPECT_FALSE(process_alive(child));
    EXPECT_TRUE(process_alive(this_process_id()));
    ::waitpid(child, nullptr, 0);
    EXPECT_FALSE(process_alive(child));
}

TEST(Ring, RefusesBadSpecsAndNames) {
    EXPECT_THROW(make_ring(FramePolicy::newest, 3), ConfigError);
    EXPECT_THROW(Ring::create("/fastpose-0-x", {8, 0, 8, PixelFormat::mono8}), ConfigError);
    EXPECT_THROW(Ring::attach("/fastpose-no-such-ring"), DeviceError);
}

}  // namespace
}  // namespace fastpose
