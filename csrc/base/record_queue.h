// A single-producer single-consumer queue of fixed-size records; all memory is taken in set-up.
#pragma once
#include <atomic>
#include <cstddef>
#include <cstring>
#include <memory>

namespace fastpose {

// push on one thread, pop on one other. Neither blocks nor allocates.
class RecordQueue {
  public:
    RecordQueue(std::size_t record_bytes, std::size_t capacity)
        : record_bytes_(record_bytes),
          capacity_(capacity),
          memory_(new std::byte[record_bytes * capacity]()) {}

    // False if full: the caller counts it.
    bool push(const void* record) noexcept {
        const std::size_t head = head_.load(std::memory_order_relaxed);
        if (head - tail_.load(std::memory_order_acquire) == capacity_) return false;
        std::memcpy(slot(head), record, record_bytes_);
        head_.store(head + 1, std::memory_order_release);
        return true;
    }

    // False if empty.
    bool pop(void* record) noexcept {
        const std::size_t tail = tail_.load(std::memory_order_relaxed);
        if (tail == head_.load(std::memory_order_acquire)) return false;
        std::memcpy(record, slot(tail), record_bytes_);
        tail_.store(tail + 1, std::memory_order_release);
        return true;
    }

    [[nodiscard]] std::size_t record_bytes() const noexcept { return record_bytes_; }

  private:
    [[nodiscard]] std::byte* slot(std::size_t index) const noexcept {
        return memory_.get() + index % capacity_ * record_bytes_;
    }

    std::size_t record_bytes_, capacity_;
    std::unique_ptr<std::byte[]> memory_;
    alignas(64) std::atomic<std::size_t> head_{0};
    alignas(64) std::atomic<std::size_t> tail_{0};
};

}  // namespace fastpose
