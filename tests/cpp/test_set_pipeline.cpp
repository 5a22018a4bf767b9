// Frames of several cameras through their pipelines: whose rules the protocol sees, and when it decides.
#include "engine/set_pipeline.h"

#include <gtest/gtest.h>

#include "allocation_counter.h"
#include "base/error.h"
#include "engine_rig.h"

namespace fastpose {
namespace {

using testing_rig::Parts;
using testing_rig::side;

// Remembers what it saw.
class Watcher final : public Protocol {
  public:
    void step(const ProtocolInput& input, Decision&) noexcept override {
        ++steps;
        rules.assign(input.rules.begin(), input.rules.end());
    }
    void reset() noexcept override {}

    int steps = 0;
    std::vector<std::uint8_t> rules = std::vector<std::uint8_t>(8);  // room: assign() allocates nothing
};

struct Cameras {
    Parts parts[2];
    std::shared_ptr<Watcher> watcher = std::make_shared<Watcher>();
    std::vector<std::uint8_t> pixels = std::vector<std::uint8_t>(side * side);
    FrameMeta metas[2];
    SetFrame frames[2];
    std::unique_ptr<SetPipeline> pipelines;

    // The second camera has the protocol; its rule is the session's rule 0, that of the first is rule 1.
    explicit Cameras(bool reads_all) {
        for (Parts& each : parts) each.pipeline->protocol = nullptr;
        parts[0].pipeline->rule_ids = {1};
        parts[1].pipeline->rule_ids = {0};
        parts[1].pipeline->protocol = watcher;
        SetPipelineParts set;
        for (Parts& each : parts)
            set.pipelines.push_back(std::make_unique<Pipeline>(*each.pipeline, nullptr, nullptr));
        pipelines = std::make_unique<SetPipeline>(std::move(set), reads_all);
    }

    void step(bool first, bool second) {
        const bool there[]{first, second};
        for (int i = 0; i < 2; ++i) {
            frames[i] = {};
            if (!there[i]) continue;
            metas[i].exposure_start_ns += 10'000'000;
            frames[i].view = {pixels.data(), side, side, side, PixelFormat::mono8};
            frames[i].meta = &metas[i];
        }
        pipelines->process(frames);
    }
};

TEST(SetPipeline, AProtocolSeesTheRulesOfAllCamerasWhereItAsksForThem) {
    Cameras cameras(true);
    cameras.step(true, true);
    EXPECT_EQ(cameras.watcher->rules, (std::vector<std::uint8_t>{1, 1}));
    cameras.step(false, true);  // the first camera's rule keeps its value
    EXPECT_EQ(cameras.watcher->rules, (std::vector<std::uint8_t>{1, 0}));
}

TEST(SetPipeline, ElseThoseOfItsOwnCamera) {
    Cameras cameras(false);
    cameras.step(true, true);
    EXPECT_EQ(cameras.watcher->rules, (std::vector<std::uint8_t>{1}));
}

TEST(SetPipeline, AProtocolStepsWithTheFramesOfItsCamera) {
    for (const bool reads_all : {true, false}) {
        Cameras cameras(reads_all);
        cameras.step(true, false);
        EXPECT_EQ(cameras.watcher->steps, 0);
        cameras.step(false, true);
        EXPECT_EQ(cameras.watcher->steps, 1);
        EXPECT_EQ(cameras.pipelines->pipeline(0).processed(), 1);
        EXPECT_EQ(cameras.pipelines->pipeline(1).processed(), 1);
    }
}

TEST(SetPipeline, AProtocolOfOneCameraDecidesBeforeTheOtherNetworkRuns) {
    Cameras own(false), all(true);
    own.step(true, true);
    EXPECT_LE(own.frames[1].record.decided_ns, own.frames[0].record.preprocessed_ns);
    all.step(true, true);
    EXPECT_LE(all.frames[0].record.decoded_ns, all.frames[1].record.decided_ns);
}

TEST(SetPipeline, RulesHaveTheNumbersOfTheSession) {
    Cameras cameras(true);
    cameras.step(true, false);
    EXPECT_EQ(cameras.pipelines->pipeline(0).rule_bits(), 2U);
    EXPECT_EQ(cameras.pipelines->pipeline(1).rule_bits(), 0U);
}

TEST(SetPipeline, AllocatesNothing) {
    for (const bool reads_all : {true, false}) {
        Cameras cameras(reads_all);
        cameras.step(true, true);
        start_counting_allocations();
        for (int i = 0; i < 1000; ++i) cameras.step(i % 7 != 0, i % 5 != 0);
        EXPECT_EQ(stop_counting_allocations(), 0);
    }
}

TEST(SetPipeline, RefusesPartsThatDoNotFit) {
    EXPECT_THROW(SetPipeline(SetPipelineParts{}, false), ConfigError);
    Parts parts[2];
    SetPipelineParts two_protocols;
    for (Parts& each : parts)
        two_protocols.pipelines.push_back(std::make_unique<Pipeline>(*each.pipeline, nullptr, nullptr));
    EXPECT_THROW(SetPipeline(std::move(two_protocols), false), ConfigError);
    parts[0].pipeline->rule_ids = {0, 1};
    EXPECT_THROW(Pipeline(*parts[0].pipeline, nullptr, nullptr), ConfigError);
}

}  // namespace
}  // namespace fastpose
