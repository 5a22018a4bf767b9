// See Note [Sets].
#include "engine/frame_sets.h"

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <string>

#include "base/clock.h"
#include "base/error.h"

namespace fastpose {
namespace {

constexpr int older = -1, newer = 1;
constexpr std::int64_t shortest_wait_ns = 500'000;

std::vector<std::shared_ptr<Ring>> checked(std::vector<std::shared_ptr<Ring>> rings) {
    if (rings.empty()) throw ConfigError("a loop needs at least one ring");
    for (const auto& ring : rings)
        if (ring->spec().policy != rings.front()->spec().policy)
            throw ConfigError("frames of a set: newest for one camera and every for another; allowed: one");
    return rings;
}

bool is_alive(const Ring& ring) noexcept {
    return !ring.loop_drained() && ring.producer_state() != HostState::lost;
}

bool is_there(int slot) noexcept { return slot >= 0; }

}  // namespace

FrameSets::FrameSets(std::vector<std::shared_ptr<Ring>> rings, const MatchSpec& match, PassedOver passed_over)
    : rings_(checked(std::move(rings))),
      match_(match),
      passed_over_(std::move(passed_over)),
      newest_(rings_.front()->spec().policy == FramePolicy::newest),
      wait_(*rings_.front()),
      held_(rings_.size(), -1),
      set_(rings_.size(), -1),
      missed_(rings_.size(), 0) {}

bool FrameSets::complete() const noexcept { return std::all_of(set_.begin(), set_.end(), is_there); }

bool FrameSets::drained() const noexcept {
    return std::none_of(held_.begin(), held_.end(), is_there) &&
           std::all_of(rings_.begin(), rings_.end(), [](const auto& ring) { return ring->loop_drained(); });
}

bool FrameSets::take(std::int64_t timeout_ns) noexcept {
    spun_ns_ = 0;
    caught_ = false;
    return rings_.size() == 1 ? take_one(timeout_ns) : take_several(timeout_ns);
}

bool FrameSets::take_one(std::int64_t timeout_ns) noexcept {
    set_.front() = first(timeout_ns);
    return is_there(set_.front());
}

int FrameSets::first(std::int64_t timeout_ns) noexcept {
    const int slot = wait_.take(timeout_ns);
    spun_ns_ = wait_.spun_ns();
    caught_ = wait_.caught();
    return slot;
}

bool FrameSets::take_several(std::int64_t timeout_ns) noexcept {
    began_ns_ = now_ns();
    const std::int64_t deadline = began_ns_ + timeout_ns;
    fill();
    while (std::none_of(held_.begin(), held_.end(), is_there)) {
        if (drained() || !wait_for_first(deadline)) return false;
        fill();
    }
    while (!gather()) {
    }
    form();
    return true;
}

void FrameSets::fill() noexcept {
    for (std::size_t i = 0; i < rings_.size(); ++i)
        if (!is_there(held_[i])) held_[i] = rings_[i]->take(0);
}

// Asleep on the first ring that lives; the others are looked at each time that it returns.
bool FrameSets::wait_for_first(std::int64_t deadline_ns) noexcept {
    const std::int64_t left = deadline_ns - now_ns();
    if (left <= 0) return false;
    const std::int64_t slice = std::min(left, std::max(match_.wait_ns, shortest_wait_ns));
    std::size_t i = 0;
    while (i + 1 < rings_.size() && !awaited(i)) ++i;
    held_[i] = i == 0 ? first(slice) : rings_[i]->take(slice);
    return true;
}

// Whether the set that the held frames belong to is as complete as it will be.
bool FrameSets::gather() noexcept {
    fill();
    if (newest_) pass_over_older();
    const int absent = missing();
    const std::int64_t left = deadline_ns() - now_ns();
    if (absent < 0 || left <= 0) return true;
    const auto i = static_cast<std::size_t>(absent);
    held_[i] = rings_[i]->take(left);
    return false;
}

void FrameSets::pass_over(std::size_t camera) noexcept {
    passed_over_(camera, held_[camera]);
    held_[camera] = -1;
}

void FrameSets::pass_over_held() noexcept {
    for (std::size_t i = 0; i < held_.size(); ++i)
        if (is_there(held_[i])) pass_over(i);
}

void FrameSets::pass_over_older() noexcept {
    const int reference = extreme(newer);
    for (std::size_t i = 0; i < held_.size(); ++i)
        if (is_there(held_[i]) && compare(static_cast<int>(i), reference) != 0) pass_over(i);
}

void FrameSets::form() noexcept {
    const int reference = extreme(older);
    for (std::size_t i = 0; i < held_.size(); ++i) {
        const bool belongs = is_there(held_[i]) && compare(static_cast<int>(i), reference) == 0;
        set_[i] = belongs ? held_[i] : -1;
        missed_[i] = is_there(held_[i]) ? 0 : missed_[i] + 1;
    }
    for (std::size_t i = 0; i < held_.size(); ++i)
        if (is_there(set_[i])) held_[i] = -1;
}

bool FrameSets::awaited(std::size_t camera) const noexcept {
    return missed_[camera] < patience && is_alive(*rings_[camera]);
}

int FrameSets::missing() const noexcept {
    for (std::size_t i = 0; i < held_.size(); ++i)
        if (!is_there(held_[i]) && awaited(i)) return static_cast<int>(i);
    return -1;
}

// The camera whose held frame is the oldest or the newest.
int FrameSets::extreme(int sign) const noexcept {
    int found = -1;
    for (int i = 0; i < static_cast<int>(held_.size()); ++i)
        if (is_there(held_[static_cast<std::size_t>(i)]) && (found < 0 || compare(i, found) == sign))
            found = i;
    return found;
}

// -1: the frame held of `camera` is older than that of `other`; 0: exposed together.
int FrameSets::compare(int camera, int other) const noexcept {
    const auto meta = [this](int i) -> const FrameMeta& {
        return rings_[static_cast<std::size_t>(i)]->meta(held_[static_cast<std::size_t>(i)]);
    };
    const bool by_time = match_.by == MatchBy::time;
    const std::int64_t apart = by_time ? meta(camera).exposure_start_ns - meta(other).exposure_start_ns
                                       : meta(camera).camera_counter - meta(other).camera_counter;
    if (std::abs(apart) <= (by_time ? match_.tolerance_ns : 0)) return 0;
    return apart < 0 ? older : newer;
}

std::int64_t FrameSets::deadline_ns() const noexcept {
    std::int64_t first_ns = std::numeric_limits<std::int64_t>::max() - match_.wait_ns;
    for (std::size_t i = 0; i < held_.size(); ++i)
        if (is_there(held_[i])) first_ns = std::min(first_ns, rings_[i]->meta(held_[i]).received_ns);
    // A source that waits for the loop could not deliver before the loop came back.
    return (newest_ ? first_ns : std::max(first_ns, began_ns_)) + match_.wait_ns;
}

}  // namespace fastpose
