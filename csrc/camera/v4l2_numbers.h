// Which of the driver's buffer numbers carries which slot of the ring.
#pragma once
#include <array>
#include <cstddef>

namespace fastpose {

// A driver pins the memory of a number anew whenever its address changes, so a slot gets the number that it
// had before wherever that is free. Thread-bound; allocates nothing.
class V4l2Numbers {
  public:
    static constexpr int most = 32;  // VIDEO_MAX_FRAME

    // Forgets everything; numbers 0 to count - 1 are free.
    void reset(int count) noexcept {
        count_ = count;
        held_ = 0;
        slot_.fill(-1);
        owner_.fill(-1);
    }
    // A number for the slot, or -1 when all are taken.
    [[nodiscard]] int take(int slot) noexcept {
        const int number = number_for(slot);
        if (number < 0) return -1;
        at(slot_, number) = at(owner_, number) = slot;
        ++held_;
        return number;
    }
    // The slot that the number carried; the number is free again. -1 for one that carried none.
    int give_back(unsigned number) noexcept {
        if (number >= static_cast<unsigned>(count_) || slot_[number] < 0) return -1;
        --held_;
        const int slot = slot_[number];
        slot_[number] = -1;
        return slot;
    }
    [[nodiscard]] int held() const noexcept { return held_; }

  private:
    using Table = std::array<int, most>;
    static int& at(Table& table, int number) noexcept { return table[static_cast<std::size_t>(number)]; }

    // Its own, else one that nobody had, else any free one.
    [[nodiscard]] int number_for(int slot) noexcept {
        int unowned = -1, other = -1;
        for (int number = 0; number < count_; ++number) {
            if (at(slot_, number) >= 0) continue;
            if (at(owner_, number) == slot) return number;
            (at(owner_, number) < 0 ? unowned : other) = number;
        }
        return unowned >= 0 ? unowned : other;
    }

    Table slot_{};   // that the number carries, -1: free
    Table owner_{};  // that it carried last, -1: none
    int count_ = 0, held_ = 0;
};

}  // namespace fastpose
