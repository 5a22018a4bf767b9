// What Linux does with the requests: policies, cores, and what new threads inherit.
#include <gtest/gtest.h>
#include <pthread.h>
#include <sched.h>

#include <thread>

#include "base/thread.h"

namespace fastpose {
namespace {

// SCHED_RESET_ON_FORK is reported together with the policy.
int policy() { return sched_getscheduler(0) & ~SCHED_RESET_ON_FORK; }

TEST(ThreadLinux, ThreadsThatARealtimeThreadMakesAreNormal) {
    std::thread([] {
        if (!take_realtime(10)) GTEST_SKIP() << "SCHED_FIFO is not granted here";
        EXPECT_EQ(policy(), SCHED_FIFO);
        int inherited = -1;
        std::thread([&] { inherited = policy(); }).join();
        EXPECT_EQ(inherited, SCHED_OTHER);
        leave_realtime();
        EXPECT_EQ(policy(), SCHED_OTHER);
    }).join();
}

TEST(ThreadLinux, KeepsToTheCoresThatItWasGiven) {
    std::thread([] {
        const int here = sched_getcpu();
        const ThreadGrant grant = set_up_this_thread({.name = "fp-test", .cpus = {here}});
        EXPECT_TRUE(grant.affinity);
        EXPECT_GT(grant.id, 0);
        cpu_set_t set;
        ASSERT_EQ(pthread_getaffinity_np(pthread_self(), sizeof set, &set), 0);
        EXPECT_EQ(CPU_COUNT(&set), 1);
        EXPECT_TRUE(CPU_ISSET(static_cast<unsigned>(here), &set));
    }).join();
}

}  // namespace
}  // namespace fastpose
