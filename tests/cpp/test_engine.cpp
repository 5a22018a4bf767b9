// Whole sessions: sources that end, cables that come loose, lines that fail, and a log that holds every
// frame.
#include "engine/engine.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/error.h"
#include "engine_rig.h"

namespace fastpose {
namespace {

using namespace testing_rig;
constexpr std::int64_t seconds = 1'000'000'000;

struct Session {
    Parts parts;
    std::string folder;
    std::shared_ptr<Ring> ring;
    std::unique_ptr<Engine> engine;

    explicit Session(const char* name, std::shared_ptr<Camera> camera,
                     FramePolicy policy = FramePolicy::every,
                     RealtimeRequest realtime = {.fifo = false, .lock_memory = false})
        : folder(fresh_folder(name)), ring(make_ring(policy)) {
        parts.pipeline->filter = nullptr;  // frames come microseconds apart: a filter would not follow
        EngineParts all;
        all.cameras.push_back({"top",
                               ring,
                               std::move(camera),
                               {folder + "/frames.fplog", "{}"},
                               parts.pipeline,
                               {folder + "/poses.fplog", "{}"}});
        all.interlock = parts.interlock;
        all.event_log = {folder + "/events.fplog", "{}"};
        all.pose_feed = true;
        all.realtime = std::move(realtime);
        engine = std::make_unique<Engine>(std::move(all));
    }
    ~Session() { std::filesystem::remove_all(folder); }

    void run() {
        engine->arm();
        engine->start();
        EXPECT_TRUE(engine->wait(60 * seconds));
        engine->stop();
    }
    [[nodiscard]] std::size_t records(const char* file, std::size_t bytes) const {
        return (std::filesystem::file_size(folder + "/" + file) - 64) / bytes;
    }
};

TEST(Engine, EveryFrameIsProcessedAndLogged) {
    Session session("every", std::make_shared<CountingCamera>(500));
    session.run();
    EXPECT_FALSE(session.engine->faulted());
    EXPECT_EQ(session.engine->snapshot().processed, 500);
    EXPECT_EQ(session.engine->snapshot().lost_records, 0);
    EXPECT_EQ(session.records("frames.fplog", sizeof(FrameRecord)), 500U);
    EXPECT_EQ(session.records("poses.fplog", pose_record_bytes(1, bodyparts)), 500U);
    EXPECT_EQ(session.records("events.fplog", sizeof(EventRecord)),
              1000U);  // a rule and an output edge a frame
    EXPECT_FALSE(session.parts.line->high());
}

TEST(Engine, NewestFrameWinsAndTheRestIsCounted) {
    Session session("newest", std::make_shared<CountingCamera>(3000), FramePolicy::newest);
    session.run();
    const EngineSnapshot shot = session.engine->snapshot();
    EXPECT_EQ(shot.published, 3000);
    EXPECT_EQ(shot.processed + shot.dropped_ring, 3000);
    EXPECT_EQ(session.records("frames.fplog", sizeof(FrameRecord)), 3000U);
}

TEST(Engine, SaysWhatTheLoopTookOfItsCore) {
    Session session("timing", std::make_shared<CountingCamera>(300), FramePolicy::newest,
                    {.spin_ns = 50'000});
    session.run();
    const LoopTiming timing = session.engine->first_loop()->timing();
    EXPECT_EQ(timing.frames, session.engine->snapshot().processed);
    EXPECT_NE(timing.fifo, Fifo::not_asked);
    EXPECT_LE(timing.spun, timing.frames);
    EXPECT_EQ(session.engine->first_loop()->grant().realtime, timing.fifo == Fifo::granted);
}

TEST(Engine, NeverAsksForRealtimeWhereEveryFrameIsWanted) {
    Session session("unpaced", std::make_shared<CountingCamera>(20), FramePolicy::every, {});
    session.run();
    EXPECT_EQ(session.engine->first_loop()->timing().fifo, Fifo::not_asked);
    EXPECT_FALSE(session.engine->first_loop()->grant().realtime);
}

TEST(Engine, PosesReachTheFeed) {
    Session session("feed", std::make_shared<CountingCamera>(20));
    session.run();
    std::vector<Keypoint> keypoints(bodyparts);
    PoseHeader header{};
    for (int i = 0; i < 20; ++i) {
        ASSERT_TRUE(session.engine->pose_feed(0)->pop(header, keypoints.data(), 0));
        EXPECT_EQ(header.frame_id, i);
        EXPECT_EQ(header.rules, i % 2 == 0 ? 1U : 0U);
    }
    EXPECT_FALSE(session.engine->pose_feed(0)->pop(header, keypoints.data(), seconds));  // closed: no wait
}

TEST(Engine, LooseCableMakesOutputsSafeAndIsRaised) {
    Session session("loose", std::make_shared<CountingCamera>(5, true));
    session.run();
    EXPECT_FALSE(session.parts.line->high());
    EXPECT_FALSE(session.parts.interlock->armed());
    EXPECT_THROW(session.engine->rethrow(), CameraDisconnected);
}

TEST(Engine, FailingOutputEndsTheSession) {
    Session session("broken", std::make_shared<CountingCamera>(1'000'000));
    session.engine->arm();
    session.parts.line->set_broken(true);
    session.engine->start();
    EXPECT_TRUE(session.engine->wait(60 * seconds));
    session.engine->stop();
    EXPECT_THROW(session.engine->rethrow(), OutputError);
}

TEST(Engine, FirstFaultWinsAndReactsBeforeItIsRaised) {
    FaultSlot faults;
    bool safe = false;
    faults.on_first([&] { safe = true; });
    faults.post(FaultKind::record, "disk full");
    faults.post(FaultKind::model, "a later one");
    EXPECT_TRUE(safe);
    EXPECT_STREQ(faults.text(), "disk full");
    EXPECT_THROW(faults.rethrow(), RecordError);
}

TEST(Engine, CommandsFromOutsideGoThroughTheInterlock) {
    Session session("command", std::make_shared<CountingCamera>(1));
    EXPECT_TRUE(session.engine->command({0, Action::on}).refused);  // not armed
    session.engine->arm();
    EXPECT_TRUE(session.engine->command({0, Action::on}).changed);
    EXPECT_TRUE(session.parts.line->high());
    session.engine->stop();
    EXPECT_FALSE(session.parts.line->high());
}

TEST(Engine, StopWithoutStartAndTwiceIsHarmless) {
    Session session("idle", std::make_shared<CountingCamera>(1));
    session.engine->stop();
    session.engine->stop();
    EXPECT_FALSE(session.engine->faulted());
}

TEST(Engine, RefusesPartsThatDoNotFit) {
    EXPECT_THROW(Engine(EngineParts{}), ConfigError);
    EngineParts parts;
    parts.cameras.push_back({"top", make_ring(), nullptr, {}});
    parts.acting_camera = 1;
    EXPECT_THROW(Engine(std::move(parts)), ConfigError);
}

}  // namespace
}  // namespace fastpose
