// Frames taken as a loop that is awake takes them: each once, after it was published.
#include "engine/take_times.h"

#include <gtest/gtest.h>

#include <thread>

#include "base/clock.h"
#include "engine_rig.h"

namespace fastpose {
namespace {

TEST(TakeTimes, HasEachFrameOnceAndAfterItWasThere) {
    const auto ring = testing_rig::make_ring(FramePolicy::every);
    std::vector<std::int64_t> published_ns;
    std::thread camera([&] {
        for (int i = 0; i < 40; ++i) {
            const int slot = ring->acquire(1'000'000'000);
            FrameMeta meta;
            meta.received_ns = now_ns();
            published_ns.push_back(meta.received_ns);
            ring->publish(slot, meta);
            sleep_until_ns(now_ns() + 500'000);
        }
    });
    const std::vector<std::int64_t> taken_ns = take_times(*ring, 40);
    camera.join();
    ASSERT_EQ(taken_ns.size(), 40U);
    for (std::size_t i = 0; i < 40; ++i) EXPECT_GE(taken_ns[i], published_ns[i]);
}

}  // namespace
}  // namespace fastpose
