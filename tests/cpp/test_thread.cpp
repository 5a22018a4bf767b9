// What is asked of the system for a thread: applied where it is granted, said where not, harmless either way.
#include "base/thread.h"

#include <gtest/gtest.h>

#include <thread>

#include "base/memory_lock.h"

namespace fastpose {
namespace {

template <typename Action>
void on_a_thread(Action action) {
    std::thread(action).join();
}

TEST(Thread, WhatIsNotAskedForIsNotGranted) {
    on_a_thread([] {
        const ThreadGrant grant = set_up_this_thread({.name = "fp-test"});
        EXPECT_EQ(grant.name, "fp-test");
        EXPECT_FALSE(grant.affinity);
        EXPECT_FALSE(grant.realtime);
    });
}

TEST(Thread, ACoreThatIsNotThereIsRefused) {
    on_a_thread([] {
        const ThreadGrant grant = set_up_this_thread({.name = "fp-test", .cpus = {100'000}});
        EXPECT_FALSE(grant.affinity);
    });
}

TEST(Thread, RealtimeCanBeTakenAndLeftAgain) {
    on_a_thread([] {
        const bool first = take_realtime(10);
        leave_realtime();
        EXPECT_EQ(take_realtime(10), first);
        leave_realtime();
    });
}

TEST(Thread, BudgetIsAShareOfTheCore) {
    EXPECT_DOUBLE_EQ((RealtimeLimits{950'000, 1'000'000}.budget()), 0.95);
    EXPECT_DOUBLE_EQ((RealtimeLimits{-1, 1'000'000}.budget()), 1);
    EXPECT_DOUBLE_EQ((RealtimeLimits{0, 1'000'000}.budget()), 0);
    EXPECT_DOUBLE_EQ((RealtimeLimits{2'000'000, 1'000'000}.budget()), 1);
    EXPECT_DOUBLE_EQ(RealtimeLimits{}.budget(), 1);
    EXPECT_GE(realtime_limits().budget(), 0);
}

TEST(MemoryLock, FutureOnlyWithThePresent) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    GTEST_SKIP() << "the sanitizer lets mlockall do nothing and say that it did";
#endif
    const MemoryGrant grant = lock_memory();
    EXPECT_TRUE(grant.present || !grant.future);
    EXPECT_TRUE(!grant.present || grant.locked_bytes > 0);
    if (grant.present) unlock_memory();
}

}  // namespace
}  // namespace fastpose
