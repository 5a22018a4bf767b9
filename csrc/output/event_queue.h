// Edges that no frame asked for, from any thread to the engine's writer: fixed room, no lock.
#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace fastpose {

enum class EdgeCause : std::int32_t {
    protocol = 0,
    timer = 1,      // the end of a pulse, the later pulses of a train, the end of a ramp
    interlock = 2,  // forced low by max_on or max_total
    safe = 3,       // written while going to the safe state
    user = 4,       // asked for outside the loop
};

enum class EventTopic : std::int32_t {
    edge = 0,       // a new level, or a refused one
    level = 1,      // a new analogue value
    confirmed = 2,  // the device has the level
    stop = 3,       // all lines went safe; value: StopReason
};

enum class StopReason : std::int32_t {
    emergency = 0,   // somebody asked for it: no command passes any more
    no_poses = 1,    // the watchdog: poses stopped coming
    poses_back = 2,  // commands pass again
};

struct InterlockEvent {
    std::int64_t stamp_ns = 0;  // when the write returned, or when the command was refused
    std::int32_t output = 0;
    EdgeCause cause = EdgeCause::timer;
    bool high = false;     // the level written, or the level that was refused
    bool refused = false;  // no edge happened
    EventTopic topic = EventTopic::edge;
    std::int32_t value = 0;  // level: thousandths of the line's unit; stop: StopReason
};

// push: thread-safe; pop: one thread at a time. Neither blocks nor allocates. Vyukov's bounded queue: each
// cell's sequence number says whose turn it is.
class EventQueue {
  public:
    // `capacity` is a power of two.
    explicit EventQueue(std::size_t capacity) : mask_(capacity - 1), cells_(new Cell[capacity]) {
        for (std::size_t i = 0; i < capacity; ++i) cells_[i].sequence = i;
    }

    // False if full; the loss is counted.
    bool push(const InterlockEvent& event) noexcept {
        std::size_t position = head_.load(std::memory_order_relaxed);
        for (;;) {
            Cell& cell = cells_[position & mask_];
            const auto lead =
                static_cast<std::ptrdiff_t>(cell.sequence.load(std::memory_order_acquire) - position);
            if (lead < 0) {
                lost_.fetch_add(1, std::memory_order_relaxed);
                return false;
            }
            if (lead > 0) {
                position = head_.load(std::memory_order_relaxed);
            } else if (head_.compare_exchange_weak(position, position + 1, std::memory_order_relaxed)) {
                cell.event = event;
                cell.sequence.store(position + 1, std::memory_order_release);
                return true;
            }
        }
    }

    // False if empty.
    bool pop(InterlockEvent& event) noexcept {
        Cell& cell = cells_[tail_ & mask_];
        if (cell.sequence.load(std::memory_order_acquire) != tail_ + 1) return false;
        event = cell.event;
        cell.sequence.store(tail_ + mask_ + 1, std::memory_order_release);
        ++tail_;
        return true;
    }

    [[nodiscard]] std::int64_t lost() const noexcept { return lost_.load(std::memory_order_relaxed); }

  private:
    struct Cell {
        std::atomic<std::size_t> sequence{0};
        InterlockEvent event;
    };

    std::size_t mask_;
    std::unique_ptr<Cell[]> cells_;
    alignas(64) std::atomic<std::size_t> head_{0};
    alignas(64) std::size_t tail_ = 0;
    std::atomic<std::int64_t> lost_{0};
};

}  // namespace fastpose
