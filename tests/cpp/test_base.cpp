// Small parts that everything stands on: CRC, queues, events, shared memory.
#include <gtest/gtest.h>

#include <cstring>
#include <thread>

#include "base/clock.h"
#include "base/crc32.h"
#include "base/error.h"
#include "base/record_queue.h"
#include "base/shared_event.h"
#include "base/shared_memory.h"

namespace fastpose {
namespace {

TEST(Crc32, AgreesWithTheStandardCheckValue) {
    EXPECT_EQ(crc32("123456789", 9), 0xCBF43926U);
    EXPECT_EQ(crc32("", 0), 0U);
    EXPECT_EQ(crc32("The quick brown fox jumps over the lazy dog", 43), 0x414FA339U);
}

TEST(RecordQueue, KeepsOrderAndRefusesWhenFull) {
    RecordQueue queue(sizeof(int), 4);
    for (int i = 0; i < 4; ++i) EXPECT_TRUE(queue.push(&i));
    const int extra = 4;
    EXPECT_FALSE(queue.push(&extra));
    for (int i = 0; i < 4; ++i) {
        int got = -1;
        EXPECT_TRUE(queue.pop(&got));
        EXPECT_EQ(got, i);
    }
    int got = 0;
    EXPECT_FALSE(queue.pop(&got));
}

TEST(RecordQueue, PassesEveryRecordBetweenThreads) {
    RecordQueue queue(sizeof(int), 16);
    constexpr int count = 20000;
    std::thread producer([&] {
        for (int i = 0; i < count;)
            if (queue.push(&i)) ++i;
    });
    for (int expected = 0; expected < count;) {
        int got = -1;
        if (!queue.pop(&got)) continue;
        ASSERT_EQ(got, expected++);
    }
    producer.join();
}

TEST(SharedEvent, WakesAWaiterAndTimesOut) {
    SharedEvent event;
    std::atomic<bool> ready{false};
    std::thread waker([&] {
        ready.store(true);
        event.notify();
    });
    EXPECT_TRUE(wait_for(event, 10'000'000'000, [&] { return ready.load(); }));
    waker.join();
    EXPECT_FALSE(wait_for(event, 1'000'000, [] { return false; }));
}

TEST(SharedMemory, IsSeenByNameAndGoneWithItsOwner) {
    const std::string name = "/fastpose-" + std::to_string(this_process_id()) + "-memory";
    {
        const SharedMemory owner = SharedMemory::create(name, 4096);
        const SharedMemory other = SharedMemory::attach(name);
        std::memcpy(owner.data(), "abc", 4);
        EXPECT_STREQ(reinterpret_cast<const char*>(other.data()), "abc");
        EXPECT_THROW(SharedMemory::create(name, 4096), DeviceError);
    }
    EXPECT_THROW(SharedMemory::attach(name), DeviceError);
}

TEST(SharedMemory, TooMuchIsAnErrorThatNamesTheSize) {
    try {
        SharedMemory::create("/fastpose-" + std::to_string(this_process_id()) + "-huge",
                             std::size_t{1} << 50);
        FAIL() << "a pebibyte was granted";
    } catch (const DeviceError& error) {
        EXPECT_NE(std::string(error.what()).find("1073741824 MiB"), std::string::npos) << error.what();
    }
}

TEST(SharedMemory, LeftoversOfDeadProcessesAreRemoved) {
    constexpr int no_such_pid = 0x3FFFFFFF;
    const std::string prefix = "fastposetest-";
    const std::string name = "/" + prefix + std::to_string(no_such_pid) + "-old";
    const SharedMemory left = SharedMemory::create(name, 4096);
    remove_stale_shared_memory(prefix);
    EXPECT_THROW(SharedMemory::attach(name), DeviceError);
}

TEST(Clock, SleepsUntilTheDeadline) {
    const std::int64_t deadline = now_ns() + 2'000'000;
    sleep_until_ns(deadline);
    EXPECT_GE(now_ns(), deadline);
}

}  // namespace
}  // namespace fastpose
