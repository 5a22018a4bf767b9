// What lies in the shared memory of a ring. Plain memory: zero is the initial state of every field but
// mailbox.
#pragma once
#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "base/clock_report.h"
#include "base/shared_event.h"
#include "frame/frame.h"
#include "frame/ring.h"

namespace fastpose {

inline constexpr int max_slots = 256;
inline constexpr std::uint32_t ring_magic = 0x46505233;  // "FPR3"

struct Slot {
    alignas(64) std::atomic<std::int32_t> references;
    FrameMeta meta;
};

// Single producer, single consumer, in shared memory.
template <typename T, std::size_t Capacity>
struct SharedQueue {
    alignas(64) std::atomic<std::uint64_t> head;
    alignas(64) std::atomic<std::uint64_t> tail;
    std::array<T, Capacity> items;

    bool push(const T& item) noexcept {
        const std::uint64_t at = head.load(std::memory_order_relaxed);
        if (at - tail.load() == Capacity) return false;
        items[at % Capacity] = item;
        head.store(at + 1);
        return true;
    }
    bool pop(T& item) noexcept {
        const std::uint64_t at = tail.load(std::memory_order_relaxed);
        if (at == head.load()) return false;
        item = items[at % Capacity];
        tail.store(at + 1);
        return true;
    }
    [[nodiscard]] int size() const noexcept { return static_cast<int>(head.load() - tail.load()); }
};

// One value in shared memory, written by one thread and read whole by any other: odd versions are half done.
template <typename T>
struct SharedValue {
    static_assert(std::is_trivially_copyable_v<T> && sizeof(T) % sizeof(std::uint64_t) == 0);
    static constexpr std::size_t count = sizeof(T) / sizeof(std::uint64_t);
    std::atomic<std::uint32_t> version;
    std::array<std::atomic<std::uint64_t>, count> words;

    void store(const T& value) noexcept {
        const auto source = std::bit_cast<std::array<std::uint64_t, count>>(value);
        version.fetch_add(1);
        for (std::size_t i = 0; i < count; ++i) words[i].store(source[i]);
        version.fetch_add(1);
    }
    [[nodiscard]] T load() const noexcept {
        std::array<std::uint64_t, count> target{};
        for (;;) {
            const std::uint32_t before = version.load();
            for (std::size_t i = 0; i < count; ++i) target[i] = words[i].load();
            if (before % 2 == 0 && version.load() == before) return std::bit_cast<T>(target);
        }
    }
};

struct HostStatus {
    std::atomic<std::int32_t> state;
    std::array<char, 508> text;
};

struct RingLayout {
    std::uint32_t magic;
    std::int32_t creator_pid;
    RingSpec spec;
    std::uint64_t slot_bytes, pixels_offset;  // of a slot with its padding

    std::atomic<std::uint32_t> started, stop, armed, recorder_enabled;
    HostStatus producer, recorder;
    SharedEvent frame_event;     // the mailbox got a frame, or something ended
    SharedEvent slot_event;      // a slot or the mailbox became free
    SharedEvent recorder_event;  // the recorder's queue got a frame, or something ended

    alignas(64) std::atomic<std::int32_t> mailbox;  // slot, -1: empty
    std::int64_t next_frame_id, last_counter;       // producer only
    std::int32_t search_from;                       // producer only
    std::int32_t unnumbered_count;                  // producer only
    std::array<FrameMeta, 16> unnumbered;           // Note [Unnumbered frames] in ring.cpp
    std::atomic<std::int64_t> published, superseded, handed_on, not_recorded, missing, failed, ledger_lost;
    std::atomic<std::int64_t> times_lost, recorded;
    std::atomic<std::int32_t> recorder_waiting;
    SharedValue<ClockReport> clock;
    SharedQueue<std::int32_t, max_slots> recorder_queue;
    SharedQueue<LedgerEntry, 4096> ledger;
    std::array<Slot, max_slots> slots;
};

}  // namespace fastpose
