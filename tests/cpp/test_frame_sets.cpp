// Frames that were exposed together find each other; those that did not are never waited for too long.
#include "engine/frame_sets.h"

#include <gtest/gtest.h>

#include <utility>

#include "base/clock.h"
#include "base/error.h"
#include "engine_rig.h"

namespace fastpose {
namespace {

constexpr std::int64_t ms = 1'000'000, hour = 3600'000 * ms;

struct Cameras {
    std::vector<std::shared_ptr<Ring>> rings;
    std::vector<std::pair<std::size_t, std::int64_t>> passed_over;  // camera, counter
    FrameSets sets;

    explicit Cameras(MatchSpec match, FramePolicy policy = FramePolicy::newest, int count = 2)
        : rings(make_rings(policy, count)), sets(rings, match, [this](std::size_t camera, int slot) {
              passed_over.emplace_back(camera, rings[camera]->meta(slot).camera_counter);
              rings[camera]->pass_over(slot);
          }) {}

    static std::vector<std::shared_ptr<Ring>> make_rings(FramePolicy policy, int count) {
        std::vector<std::shared_ptr<Ring>> rings;
        for (int i = 0; i < count; ++i) rings.push_back(testing_rig::make_ring(policy));
        return rings;
    }

    void publish(std::size_t camera, std::int64_t counter, std::int64_t exposure_ns = 0,
                 std::int64_t age_ns = 0) {
        FrameMeta meta;
        meta.camera_counter = counter;
        meta.exposure_start_ns = exposure_ns;
        meta.received_ns = now_ns() - age_ns;
        const int slot = rings[camera]->acquire(0);
        ASSERT_GE(slot, 0);
        rings[camera]->publish(slot, meta);
    }

    // Counter of each camera's frame in the next set, -1: none; its slots are given back.
    std::vector<std::int64_t> take() {
        std::vector<std::int64_t> counters(rings.size(), -1);
        if (!sets.take(0)) return {};
        for (std::size_t i = 0; i < rings.size(); ++i) {
            const int slot = sets.slots()[i];
            if (slot < 0) continue;
            counters[i] = rings[i]->meta(slot).camera_counter;
            rings[i]->release(slot);
        }
        return counters;
    }
};

using Counters = std::vector<std::int64_t>;

TEST(FrameSets, OneCameraNeedsNoOther) {
    Cameras cameras({}, FramePolicy::newest, 1);
    EXPECT_EQ(cameras.take(), Counters{});
    cameras.publish(0, 7);
    EXPECT_EQ(cameras.take(), Counters{7});
    EXPECT_TRUE(cameras.sets.complete());
}

TEST(FrameSets, FramesOfOneCounterAreASet) {
    Cameras cameras({.wait_ns = hour}, FramePolicy::newest, 3);
    for (const std::size_t camera : {2U, 0U, 1U}) cameras.publish(camera, 4);
    EXPECT_EQ(cameras.take(), (Counters{4, 4, 4}));
    EXPECT_TRUE(cameras.sets.complete());
    EXPECT_TRUE(cameras.passed_over.empty());
}

TEST(FrameSets, ByTimeTheCounterDoesNotMatter) {
    Cameras cameras({MatchBy::time, 2 * ms, hour});
    cameras.publish(0, 10, 100 * ms);
    cameras.publish(1, 900, 101 * ms);
    EXPECT_EQ(cameras.take(), (Counters{10, 900}));
}

TEST(FrameSets, ExposuresBeyondTheToleranceAreNotASet) {
    Cameras cameras({MatchBy::time, 2 * ms, ms});
    cameras.publish(0, 10, 100 * ms, hour);
    cameras.publish(1, 10, 103 * ms, hour);
    EXPECT_EQ(cameras.take(), (Counters{-1, 10}));
    EXPECT_FALSE(cameras.sets.complete());
}

TEST(FrameSets, WhereTheNewestWinsAnOlderFrameIsPassedOver) {
    Cameras cameras({.wait_ns = ms});
    cameras.publish(0, 5);
    cameras.publish(1, 4);
    EXPECT_EQ(cameras.take(), (Counters{5, -1}));
    EXPECT_EQ(cameras.passed_over, (std::vector<std::pair<std::size_t, std::int64_t>>{{1, 4}}));
    EXPECT_EQ(cameras.rings[1]->counts().superseded, 1);
    EXPECT_EQ(cameras.rings[0]->counts().superseded, 0);
}

TEST(FrameSets, WhereEveryFrameIsWantedAnOlderOneIsASetOfItsOwn) {
    Cameras cameras({.wait_ns = hour}, FramePolicy::every);
    cameras.publish(0, 5);
    cameras.publish(1, 4);
    EXPECT_EQ(cameras.take(), (Counters{-1, 4}));
    EXPECT_FALSE(cameras.sets.complete());
    cameras.publish(1, 5);
    EXPECT_EQ(cameras.take(), (Counters{5, 5}));
    EXPECT_TRUE(cameras.sets.complete());
    EXPECT_TRUE(cameras.passed_over.empty());
}

TEST(FrameSets, AFrameWhosePartnerDoesNotComeGoesAlone) {
    Cameras cameras({.wait_ns = 2 * ms});
    cameras.publish(1, 8);
    EXPECT_EQ(cameras.take(), (Counters{-1, 8}));
    EXPECT_FALSE(cameras.sets.complete());
}

// With waits of an hour, a wait that should not be would never end.
TEST(FrameSets, ACameraThatWasMissingForLongIsNotWaitedForUntilItIsBack) {
    Cameras cameras({.wait_ns = hour});
    for (int i = 0; i < FrameSets::patience; ++i) {
        cameras.publish(0, i, 0, 2 * hour);
        EXPECT_EQ(cameras.take(), (Counters{i, -1}));
    }
    cameras.publish(0, 50);
    EXPECT_EQ(cameras.take(), (Counters{50, -1}));
    cameras.publish(1, 51);
    cameras.publish(0, 51);
    EXPECT_EQ(cameras.take(), (Counters{51, 51}));
}

TEST(FrameSets, ACameraThatEndedOrIsGoneIsNotWaitedFor) {
    for (const HostState state : {HostState::finished, HostState::failed, HostState::lost}) {
        Cameras cameras({.wait_ns = hour});
        cameras.rings[1]->set_producer_state(state, "");
        cameras.publish(0, 3);
        EXPECT_EQ(cameras.take(), (Counters{3, -1}));
    }
}

TEST(FrameSets, DrainedWhenAllSourcesEndedAndAllFramesAreTaken) {
    Cameras cameras({.wait_ns = ms}, FramePolicy::every);
    cameras.publish(0, 2);
    cameras.publish(1, 1);
    for (const auto& ring : cameras.rings) ring->set_producer_state(HostState::finished, "");
    EXPECT_EQ(cameras.take(), (Counters{-1, 1}));
    EXPECT_FALSE(cameras.sets.drained());  // it holds a frame that is in no ring any more
    EXPECT_EQ(cameras.take(), (Counters{2, -1}));
    EXPECT_TRUE(cameras.sets.drained());
}

TEST(FrameSets, WhatItHoldsCanBePassedOver) {
    Cameras cameras({.wait_ns = ms}, FramePolicy::every);
    cameras.publish(0, 2);
    cameras.publish(1, 1);
    EXPECT_EQ(cameras.take(), (Counters{-1, 1}));
    cameras.sets.pass_over_held();
    EXPECT_EQ(cameras.passed_over, (std::vector<std::pair<std::size_t, std::int64_t>>{{0, 2}}));
}

TEST(FrameSets, RefusesRingsOfDifferentPolicies) {
    const std::vector<std::shared_ptr<Ring>> rings{testing_rig::make_ring(FramePolicy::newest),
                                                   testing_rig::make_ring(FramePolicy::every)};
    EXPECT_THROW(FrameSets(rings, {}, {}), ConfigError);
    EXPECT_THROW(FrameSets({}, {}, {}), ConfigError);
}

}  // namespace
}  // namespace fastpose
