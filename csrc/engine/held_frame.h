// The last frame that a loop is done with, for somebody beside the loop who asks for it.
#pragma once
#include <atomic>
#include <memory>
#include <utility>

#include "frame/ring.h"

namespace fastpose {

// Holds one slot of the ring longer, and a second one while somebody copies. put(): the loop; take() and
// give_back(): one other thread at a time. Neither waits nor allocates.
class HeldFrame {
  public:
    explicit HeldFrame(std::shared_ptr<Ring> ring) : ring_(std::move(ring)) {}
    ~HeldFrame() { swap(none); }
    HeldFrame(const HeldFrame&) = delete;
    HeldFrame& operator=(const HeldFrame&) = delete;

    // Takes the loop's reference over.
    void put(int slot) noexcept { swap(slot); }
    // The newest processed frame, or -1: there is none that was not taken. It is the caller's until
    // give_back().
    [[nodiscard]] int take() noexcept { return slot_.exchange(none); }
    void give_back(int slot) noexcept { ring_->release(slot); }
    [[nodiscard]] Ring& ring() noexcept { return *ring_; }

  private:
    static constexpr int none = -1;

    void swap(int slot) noexcept {
        const int before = slot_.exchange(slot);
        if (before != none) ring_->release(before);
    }

    std::shared_ptr<Ring> ring_;
    std::atomic<int> slot_{none};
};

}  // namespace fastpose
