// Takes frames that were exposed together from the rings of several cameras.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "engine/frame_wait.h"
#include "frame/ring.h"

namespace fastpose {

enum class MatchBy : int {
    counter = 0,  // the cameras' own counts of exposures are equal: armed before the first one, they all are
    time,         // exposures began within the tolerance of each other
};

struct MatchSpec {
    MatchBy by = MatchBy::counter;
    std::int64_t tolerance_ns = 0;  // time only
    std::int64_t wait_ns =
        3'000'000;  // longest wait for the rest of a set, from `received` of its first frame
};

// Note [Sets]: The first frame of a set is waited for as that of a single camera, on the first ring; it is
// waited with for the others at most `wait_ns` (where every frame is wanted: since the loop began to look). A
// camera that was missing in `patience` sets in a row is not waited for until it delivers again. Where the
// newest frame wins, a frame that turns out older than one that is at hand is passed over: its partner is
// gone, and the loop is behind. Where every frame is wanted, it becomes a set of its own.
//
// Thread-bound to the loop. take() never throws or allocates. With one ring, every frame is a set.
class FrameSets {
  public:
    static constexpr int patience = 10;
    using PassedOver = std::function<void(std::size_t camera, int slot)>;

    // `passed_over` gives the slot back. Throws ConfigError.
    FrameSets(std::vector<std::shared_ptr<Ring>> rings, const MatchSpec& match, PassedOver passed_over);

    // The next set; false: none after timeout_ns or earlier.
    [[nodiscard]] bool take(std::int64_t timeout_ns) noexcept;
    // Its slot of each ring, -1: none. They are the caller's to release.
    [[nodiscard]] std::span<const int> slots() const noexcept { return set_; }
    [[nodiscard]] bool complete() const noexcept;
    // Passes over every frame that is in no set yet.
    void pass_over_held() noexcept;
    // All sources have ended and every frame was taken.
    [[nodiscard]] bool drained() const noexcept;

    // Of the wait for the first frame, see FrameWait.
    void note_received(std::int64_t received_ns) noexcept { wait_.note_received(received_ns); }
    void allow_spin(std::int64_t spin_ns) noexcept { wait_.allow_spin(spin_ns); }
    [[nodiscard]] std::int64_t spun_ns() const noexcept { return spun_ns_; }
    [[nodiscard]] bool caught() const noexcept { return caught_; }

  private:
    [[nodiscard]] bool take_one(std::int64_t timeout_ns) noexcept;
    [[nodiscard]] bool take_several(std::int64_t timeout_ns) noexcept;
    [[nodiscard]] int first(std::int64_t timeout_ns) noexcept;
    void fill() noexcept;
    [[nodiscard]] bool wait_for_first(std::int64_t deadline_ns) noexcept;
    [[nodiscard]] bool gather() noexcept;
    void pass_over(std::size_t camera) noexcept;
    void pass_over_older() noexcept;
    void form() noexcept;
    [[nodiscard]] bool awaited(std::size_t camera) const noexcept;
    [[nodiscard]] int missing() const noexcept;
    [[nodiscard]] int extreme(int sign) const noexcept;
    [[nodiscard]] int compare(int camera, int other) const noexcept;
    [[nodiscard]] std::int64_t deadline_ns() const noexcept;

    std::vector<std::shared_ptr<Ring>> rings_;
    MatchSpec match_;
    PassedOver passed_over_;
    bool newest_;
    FrameWait wait_;
    std::vector<int> held_, set_;  // slots; held: taken, in no set yet
    std::vector<int> missed_;      // sets in a row without this camera
    std::int64_t began_ns_ = 0;    // take() was called
    std::int64_t spun_ns_ = 0;
    bool caught_ = false;
};

}  // namespace fastpose
