// Several cameras in one engine: loops of their own, synchronised sets, start and stop order, one that dies.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <set>

#include "base/error.h"
#include "camera/sim_camera.h"
#include "camera/sim_faults.h"
#include "engine/engine.h"
#include "engine_rig.h"

namespace fastpose {
namespace {

using namespace testing_rig;
constexpr std::int64_t seconds = 1'000'000'000;

template <typename Record>
std::vector<Record> records(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    file.seekg(64);  // the header of a log whose JSON is {}
    std::vector<Record> found;
    for (Record record; file.read(reinterpret_cast<char*>(&record), sizeof record);) found.push_back(record);
    return found;
}

SimSpec sim_spec(std::uint64_t seed, int frames, const char* source = "internal", const char* line = "") {
    SimSpec spec;
    spec.size = {side, side};
    spec.rate_hz = 200;
    spec.exposure_us = 200;
    spec.transfer_ms = 0.1;
    spec.seed = seed;
    spec.frames_total = frames;
    spec.prerender_frames = 2;
    spec.every_frame = true;
    spec.camera_trigger = {source, line};
    spec.clock = {10.0 * static_cast<double>(seed), 100.0 * static_cast<double>(seed)};
    return spec;
}

// Cameras "0", "1", ... that all have a pipeline; the first one's rule moves the output.
struct Session {
    std::vector<std::unique_ptr<Parts>> parts;
    std::string folder;
    EngineParts all;
    std::unique_ptr<Engine> engine;

    explicit Session(const char* name) : folder(fresh_folder(name)) {
        all.event_log = {folder + "/events.fplog", "{}"};
        all.realtime = {.fifo = false, .lock_memory = false};
    }
    ~Session() { std::filesystem::remove_all(folder); }

    Session& add(std::shared_ptr<Camera> camera, bool follower = false,
                 FramePolicy policy = FramePolicy::every) {
        const std::string name = std::to_string(parts.size());
        parts.push_back(std::make_unique<Parts>());
        PipelineParts& pipeline = *parts.back()->pipeline;
        pipeline.filter = nullptr;
        pipeline.rule_ids = {static_cast<int>(parts.size()) - 1};
        if (parts.size() > 1) pipeline.protocol = nullptr;
        all.cameras.push_back({name,
                               make_ring(policy),
                               std::move(camera),
                               {path("frames", name), "{}"},
                               parts.back()->pipeline,
                               {path("poses", name), "{}"},
                               0.0,
                               follower});
        return *this;
    }
    [[nodiscard]] std::string path(const char* kind, const std::string& camera) const {
        return folder + "/" + kind + "_" + camera + ".fplog";
    }
    [[nodiscard]] std::vector<FrameRecord> frames(int camera) const {
        return records<FrameRecord>(path("frames", std::to_string(camera)));
    }
    void make() {
        all.interlock = parts.front()->interlock;
        engine = std::make_unique<Engine>(all);
    }
    void run() {
        make();
        engine->arm();
        engine->start();
        EXPECT_TRUE(engine->wait(60 * seconds));
        engine->stop();
    }
};

TEST(EngineCameras, EachHasItsOwnLoopAndLogs) {
    Session session("loops");
    session.add(std::make_shared<CountingCamera>(500)).add(std::make_shared<CountingCamera>(300)).run();
    EXPECT_FALSE(session.engine->faulted());
    const EngineSnapshot shot = session.engine->snapshot();
    EXPECT_EQ(shot.processed, 500);
    ASSERT_EQ(shot.cameras.size(), 2U);
    EXPECT_EQ(shot.cameras[1].processed, 300);
    EXPECT_EQ(shot.cameras[1].unmatched, 0);
    EXPECT_EQ(session.frames(0).size(), 500U);
    EXPECT_EQ(session.frames(1).size(), 300U);
    EXPECT_EQ((std::filesystem::file_size(session.path("poses", "1")) - 64) / pose_record_bytes(1, bodyparts),
              300U);
}

TEST(EngineCameras, EventsSayTheirCamera) {
    Session session("events");
    session.add(std::make_shared<CountingCamera>(50)).add(std::make_shared<CountingCamera>(30)).run();
    std::map<int, int> rule_edges;
    for (const EventRecord& event : records<EventRecord>(session.folder + "/events.fplog")) {
        if (event.kind == static_cast<int>(EventKind::output)) {
            EXPECT_EQ(event.camera, 0);
        }
        if (event.kind != static_cast<int>(EventKind::rule)) continue;
        EXPECT_EQ(event.source, event.camera);
        ++rule_edges[event.camera];
    }
    EXPECT_EQ(rule_edges, (std::map<int, int>{{0, 50}, {1, 30}}));
}

TEST(EngineCameras, TheActingCameraIsTheOneThatIsAskedFor) {
    Session session("acting");
    session.add(std::make_shared<CountingCamera>(20)).add(std::make_shared<CountingCamera>(30));
    session.all.acting_camera = 1;
    session.run();
    EXPECT_EQ(session.engine->snapshot().processed, 30);
    EXPECT_EQ(session.engine->first_loop()->pipeline(0).processed(), 30);
}

TEST(EngineCameras, ACameraWithoutAPipelineIsOnlyRecorded) {
    Session session("recorded");
    session.add(std::make_shared<CountingCamera>(20));
    session.all.cameras.push_back(
        {"side",
         Ring::create("/fastpose-" + std::to_string(this_process_id()) + "-side",
                      {8, side, side, PixelFormat::mono8, FramePolicy::every, false, false}),
         std::make_shared<CountingCamera>(30),
         {session.path("frames", "side"), "{}"}});
    session.run();
    EXPECT_EQ(session.engine->snapshot().cameras[1].published, 30);
    EXPECT_EQ(session.engine->snapshot().cameras[1].processed, 0);
    EXPECT_EQ(records<FrameRecord>(session.path("frames", "side")).size(), 30U);
}

// --- synchronised ---

struct Fates {
    std::set<std::int64_t> arrived[2];

    Fates(const SimSpec& first, const SimSpec& second) {
        const SimSpec* specs[]{&first, &second};
        for (int camera = 0; camera < 2; ++camera)
            for (std::int64_t i = 0; i < *specs[camera]->frames_total; ++i)
                if (!sim_fate(*specs[camera], i).dropped) arrived[camera].insert(i);
    }
    [[nodiscard]] bool alone(int camera, std::int64_t index) const {
        return arrived[1 - camera].count(index) == 0;
    }
};

void expect_sets(MatchSpec match, const char* name) {
    SimSpec driver = sim_spec(1, 120, "internal", name), follower = sim_spec(3, 120, "external_edge", name);
    driver.faults.drop = follower.faults.drop = 0.1;
    const Fates fates(driver, follower);
    Session session(name);
    session.add(make_sim_camera(driver)).add(make_sim_camera(follower), true);
    session.all.set = {{0, 1}, match};
    session.run();
    EXPECT_FALSE(session.engine->faulted());
    for (int camera = 0; camera < 2; ++camera) {
        int alone = 0;
        for (const FrameRecord& frame : session.frames(camera)) {
            if (frame.drop_reason == static_cast<int>(DropReason::camera)) continue;
            EXPECT_NE(frame.decided_ns, 0);
            const bool flagged = (frame.flags & frame_unmatched) != 0;
            EXPECT_EQ(flagged, fates.alone(camera, frame.camera_counter))
                << camera << " " << frame.camera_counter;
            alone += flagged ? 1 : 0;
        }
        EXPECT_GT(alone, 0);
        EXPECT_EQ(session.engine->snapshot().cameras[static_cast<std::size_t>(camera)].unmatched, alone);
    }
}

TEST(EngineCameras, FramesAreMatchedByCounter) {
    expect_sets({MatchBy::counter, 0, 2 * seconds}, "by-counter");
}

TEST(EngineCameras, FramesAreMatchedByTimeThoughTheClocksDrift) {
    expect_sets({MatchBy::time, 1'250'000, 2 * seconds}, "by-time");
}

TEST(EngineCameras, FollowersAreArmedFirstWhateverTheirPlace) {
    for (const bool follower_first : {true, false}) {
        Session session("order");
        const auto add = [&](bool follower) {
            session.add(
                make_sim_camera(sim_spec(2, 40, follower ? "external_edge" : "internal", "start-order")),
                follower);
        };
        add(follower_first);
        add(!follower_first);
        session.run();
        const auto first = session.frames(0), second = session.frames(1);
        ASSERT_EQ(first.size(), 40U);
        ASSERT_EQ(second.size(),
                  40U);  // one that was armed late would miss edges at the start, and wait at the end
        for (std::size_t i = 0; i < first.size(); ++i)
            EXPECT_LT(std::abs(first[i].exposure_start_ns - second[i].exposure_start_ns), 2'000'000) << i;
    }
}

TEST(EngineCameras, DriversStopFirstAndFollowersGetTheirLastFrame) {
    Session session("stop");
    SimSpec driver = sim_spec(2, 1, "internal", "stop-order"),
            follower = sim_spec(2, 1, "external_edge", "stop-order");
    driver.frames_total = follower.frames_total = std::nullopt;
    follower.transfer_ms = 10;
    session.add(make_sim_camera(driver)).add(make_sim_camera(follower), true);
    session.make();
    session.engine->arm();
    session.engine->start();
    EXPECT_FALSE(session.engine->wait(seconds / 5));
    session.engine->stop();
    ASSERT_FALSE(session.frames(0).empty());
    EXPECT_EQ(session.frames(0).back().camera_counter, session.frames(1).back().camera_counter);
}

class Broken final : public FillingCamera {
  public:
    [[nodiscard]] const CameraInfo& info() const noexcept override { return info_; }
    void arm() override { throw CameraError("no such line"); }
    GrabStatus fill(std::span<std::uint8_t>, FrameMeta&, std::int64_t) noexcept override {
        return GrabStatus::timeout;
    }
    bool latch_clock(ClockPair&) noexcept override { return false; }

  private:
    CameraInfo info_{PixelFormat::mono8, side, side, 100, 0};
};

TEST(EngineCameras, AFollowerThatCannotBeArmedStartsNobody) {
    Session session("broken");
    session.add(std::make_shared<CountingCamera>(100)).add(std::make_shared<Broken>(), true).run();
    EXPECT_THROW(session.engine->rethrow(), CameraError);
    EXPECT_EQ(session.engine->snapshot().cameras[0].published, 0);
    EXPECT_FALSE(session.parts[0]->interlock->armed());
}

TEST(EngineCameras, OneCameraThatDiesEndsTheSessionAndEveryFrameHasItsRow) {
    Session session("dies");
    SimSpec driver = sim_spec(1, 1, "internal", "dies"), follower = sim_spec(2, 1, "external_edge", "dies");
    driver.frames_total = follower.frames_total = std::nullopt;
    follower.faults.disconnect_after_s = 0.2;
    session.add(make_sim_camera(driver)).add(make_sim_camera(follower), true);
    session.all.set = {{0, 1}, {MatchBy::counter, 0, 2'000'000}};
    session.run();
    EXPECT_THROW(session.engine->rethrow(), CameraDisconnected);
    EXPECT_FALSE(session.parts[0]->line->high());
    for (int camera = 0; camera < 2; ++camera) {
        const auto frames = session.frames(camera);
        EXPECT_EQ(static_cast<std::int64_t>(frames.size()),
                  session.engine->snapshot().cameras[static_cast<std::size_t>(camera)].published);
    }
}

TEST(EngineCameras, RefusesASetOfCamerasWithoutPipelines) {
    Session session("refused");
    session.add(std::make_shared<CountingCamera>(1));
    session.all.set = {{0, 1}, {}};
    EXPECT_THROW(session.make(), ConfigError);
}

}  // namespace
}  // namespace fastpose
