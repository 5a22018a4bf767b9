// Poses for whoever watches beside the loop: Python protocols and viewers. A slow reader costs the loop
// nothing.
#pragma once
#include <cstdint>
#include <cstring>
#include <vector>

#include "base/record_queue.h"
#include "base/shared_event.h"
#include "pose/pose.h"
#include "record/records.h"

namespace fastpose {

// What comes before the keypoints of one pose. `rules`: bit i is rule i.
struct PoseHeader {
    std::int64_t frame_id, exposure_start_ns, decided_ns;
    std::uint64_t rules;
    std::int32_t flags, reserved;
};

// One writer (the loop), one reader. When the reader lags by `capacity` poses, new ones are dropped and
// counted.
class PoseFeed {
  public:
    static constexpr std::size_t capacity = 512;

    PoseFeed(int individuals, int bodyparts)
        : keypoints_(static_cast<std::size_t>(individuals) * static_cast<std::size_t>(bodyparts)),
          queue_(record_bytes(), capacity),
          record_(record_bytes()),
          read_(record_bytes()) {}

    void push(const FrameRecord& frame, std::uint64_t rules, const PoseView& pose) noexcept {
        PoseHeader header{frame.frame_id, frame.exposure_start_ns, frame.decided_ns, rules, frame.flags, 0};
        std::memcpy(record_.data(), &header, sizeof header);
        std::memcpy(record_.data() + sizeof header, pose.keypoints, keypoints_ * sizeof(Keypoint));
        if (!queue_.push(record_.data())) dropped_.fetch_add(1, std::memory_order_relaxed);
        event_.notify();
    }

    // False after timeout_ns or when closed and empty. `keypoints` has room for individuals * bodyparts.
    bool pop(PoseHeader& header, Keypoint* keypoints, std::int64_t timeout_ns) noexcept {
        bool got = false;
        wait_for(event_, timeout_ns, [&] {
            got = queue_.pop(read_.data());
            return got || closed();
        });
        if (!got) return false;
        std::memcpy(&header, read_.data(), sizeof header);
        std::memcpy(keypoints, read_.data() + sizeof header, keypoints_ * sizeof(Keypoint));
        return true;
    }

    void close() noexcept {
        closed_.store(true);
        event_.notify();
    }
    [[nodiscard]] bool closed() const noexcept { return closed_.load(); }
    [[nodiscard]] std::int64_t dropped() const noexcept { return dropped_.load(std::memory_order_relaxed); }
    [[nodiscard]] std::size_t keypoints() const noexcept { return keypoints_; }

  private:
    [[nodiscard]] std::size_t record_bytes() const noexcept {
        return sizeof(PoseHeader) + keypoints_ * sizeof(Keypoint);
    }

    std::size_t keypoints_;
    RecordQueue queue_;
    std::vector<std::byte> record_, read_;
    std::atomic<std::int64_t> dropped_{0};
    std::atomic<bool> closed_{false};
    SharedEvent event_;
};

}  // namespace fastpose
