// The interlock with its timer thread and several callers at once; meant for the thread sanitizer too.
#include <gtest/gtest.h>

#include <map>
#include <thread>
#include <utility>

#include "output/interlock.h"
#include "output/sim_output.h"

namespace fastpose {
namespace {

constexpr std::int64_t us = 1'000;

// Waits until the condition holds; false after ten seconds, which no healthy run needs.
template <class Condition>
bool eventually(Condition condition) {
    const std::int64_t deadline_ns = now_ns() + 10'000'000 * us;
    while (!condition()) {
        if (now_ns() > deadline_ns) return false;
        std::this_thread::sleep_for(std::chrono::microseconds(100));
    }
    return true;
}

TEST(InterlockThreads, TimerEndsPulsesNeverEarly) {
    const auto driver = std::make_shared<SimOutput>("laser");
    Interlock interlock({{"laser", driver, {}}});
    interlock.arm();
    for (const std::int64_t duration : {100 * us, 2'000 * us, 300 * us}) {
        const EdgeResult rise = interlock.apply({0, Action::pulse, duration});
        ASSERT_TRUE(rise.changed);
        InterlockEvent event;
        ASSERT_TRUE(eventually([&] { return interlock.poll_event(event); }));
        EXPECT_EQ(event.cause, EdgeCause::timer);
        EXPECT_GE(event.stamp_ns - rise.stamp_ns, duration);
    }
}

TEST(InterlockThreads, AnEarlierDeadlineWakesTheTimer) {
    const auto slow = std::make_shared<SimOutput>("slow"), quick = std::make_shared<SimOutput>("quick");
    Interlock interlock({{"slow", slow, {}}, {"quick", quick, {}}});
    interlock.arm();
    interlock.apply({0, Action::pulse, 3'600'000'000 * us});
    interlock.apply({1, Action::pulse, 500 * us});
    EXPECT_TRUE(eventually([&] { return !quick->high(); }));
    EXPECT_TRUE(slow->high());
}

TEST(InterlockThreads, MaxOnIsEnforcedWithoutFurtherCalls) {
    const auto driver = std::make_shared<SimOutput>("laser");
    Interlock interlock({{"laser", driver, {.max_on_ns = 500 * us}}});
    interlock.arm();
    interlock.apply({0, Action::on});
    EXPECT_TRUE(eventually([&] { return !driver->high(); }));
    EXPECT_EQ(interlock.line(0).forced_low(), 1);
}

TEST(InterlockThreads, ABrokenSafeWriteIsRetriedByTheTimer) {
    const auto driver = std::make_shared<SimOutput>("laser");
    Interlock interlock({{"laser", driver, {}}});
    interlock.arm();
    interlock.apply({0, Action::on});
    driver->set_broken(true);
    interlock.to_safe();
    EXPECT_TRUE(driver->high());
    driver->set_broken(false);
    EXPECT_TRUE(eventually([&] { return !driver->high(); }));
}

// What the callers and the queue saw must add up to what the devices saw.
TEST(InterlockThreads, NoEdgeIsLostOrInventedUnderStress) {
    const auto first = std::make_shared<SimOutput>("first"), second = std::make_shared<SimOutput>("second");
    Interlock interlock(
        {{"first", first, {.max_on_ns = 300 * us}}, {"second", second, {.max_rate_hz = 20'000}}});
    interlock.arm();
    constexpr int rounds = 20'000;
    std::atomic<std::int64_t> rises{0}, falls{0}, drained{0};
    std::atomic<bool> done{false};

    const auto count = [&](bool high) { ++(high ? rises : falls); };
    std::thread pipeline([&] {
        for (int i = 0; i < rounds; ++i) {
            const Action action = i % 3 == 0 ? Action::on : i % 3 == 1 ? Action::pulse : Action::off;
            const OutputCommand command{i % 2, action, (i % 7 + 1) * 20 * us};
            if (interlock.apply(command).changed) count(action != Action::off);
        }
    });
    std::thread user([&] {
        std::int64_t reported = 0;
        for (int i = 0; i < rounds; ++i) {
            const Action action = i % 5 == 0 ? Action::off : Action::pulse;
            const EdgeResult edge = interlock.apply({i % 2, action, 50 * us}, EdgeCause::user);
            if (edge.changed || edge.refused) ++reported;
            while (reported - drained > 1'000)
                std::this_thread::yield();  // the queue has room for all others
        }
    });
    std::thread breaker([&] {
        for (int i = 0; i < 50; ++i) {
            interlock.to_safe();
            std::this_thread::yield();
            interlock.arm();
            std::this_thread::yield();
        }
    });
    const auto drain = [&] {
        InterlockEvent event;
        while (interlock.poll_event(event)) {
            if (!event.refused) count(event.high);
            if (event.cause == EdgeCause::user) ++drained;
        }
    };
    std::thread engine([&] {
        while (!done) drain();
    });
    for (std::thread* thread : {&pipeline, &user, &breaker}) thread->join();
    interlock.to_safe();
    const std::int64_t device_rises = first->rising_edges() + second->rising_edges();
    const std::int64_t device_falls = first->falling_edges() + second->falling_edges();
    // A pulse end under way has left its line, but may not have reached the queue yet.
    EXPECT_TRUE(eventually([&] { return rises + falls == device_rises + device_falls; }));
    done = true;
    engine.join();

    EXPECT_FALSE(first->high());
    EXPECT_FALSE(second->high());
    EXPECT_EQ(interlock.faulty_line(), -1);
    ASSERT_EQ(interlock.events_lost(), 0);
    EXPECT_EQ(rises, device_rises);
    EXPECT_EQ(falls, device_falls);
    EXPECT_GT(rises, 0);
}

// While it is written, the lines go safe on another thread.
class PanickingOutput final : public OutputDriver {
  public:
    [[nodiscard]] bool write(bool) noexcept override {
        if (interlock == nullptr) return true;
        Interlock& panicking = *std::exchange(interlock, nullptr);
        other = std::thread([&panicking] { panicking.to_safe(); });
        return eventually([&] { return !panicking.armed(); });
    }
    [[nodiscard]] std::string description() const override { return "panicking line"; }

    Interlock* interlock = nullptr;
    std::thread other;
};

TEST(InterlockThreads, TheSafeStateWinsOverArming) {
    const auto driver = std::make_shared<PanickingOutput>();
    Interlock interlock({{"line", driver, {}}});
    interlock.arm();
    driver->interlock = &interlock;
    interlock.arm();
    driver->other.join();
    EXPECT_FALSE(interlock.armed());
    interlock.arm();
    EXPECT_TRUE(interlock.armed());
}

// Once to_safe() has returned, no command that was under way may raise a line.
TEST(InterlockThreads, NothingRisesAfterTheSafeState) {
    const auto driver = std::make_shared<SimOutput>("laser");
    Interlock interlock({{"laser", driver, {}}});
    for (int round = 0; round < 200; ++round) {
        interlock.arm();
        std::atomic<bool> stop{false};
        std::thread pipeline([&] {
            while (!stop) {
                interlock.apply({0, Action::on});
                interlock.apply({0, Action::off});
            }
        });
        interlock.to_safe();
        const std::int64_t edges = driver->rising_edges();
        std::this_thread::yield();
        EXPECT_FALSE(driver->high());
        EXPECT_EQ(driver->rising_edges(), edges);
        stop = true;
        pipeline.join();
    }
}

TEST(EventQueueThreads, ManyProducersLoseNothing) {
    EventQueue queue(1024);
    constexpr int producers = 3, each = 20'000;
    std::vector<std::thread> threads;
    for (int producer = 0; producer < producers; ++producer)
        threads.emplace_back([&queue, producer] {
            for (int i = 0; i < each; ++i)
                while (!queue.push({.stamp_ns = i, .output = producer})) std::this_thread::yield();
        });
    std::map<int, std::int64_t> next;
    for (int seen = 0; seen < producers * each;) {
        InterlockEvent event;
        if (!queue.pop(event)) continue;
        ASSERT_EQ(event.stamp_ns, next[event.output]++);  // in the order of each producer
        ++seen;
    }
    for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace fastpose
