// Where the loop leaves what the writers need: fixed-size queues that never block it.
#pragma once
#include <atomic>
#include <cstdint>
#include <cstring>
#include <vector>

#include "base/record_queue.h"
#include "pose/pose.h"
#include "record/records.h"

namespace fastpose {

// A pose record: int64 frame_id, raw and filtered keypoints, uint32 reserved, uint32 crc32.
[[nodiscard]] constexpr std::size_t pose_record_bytes(int individuals, int bodyparts) noexcept {
    return sizeof(std::int64_t) +
           2 * static_cast<std::size_t>(individuals) * static_cast<std::size_t>(bodyparts) *
               sizeof(Keypoint) +
           2 * sizeof(std::uint32_t);
}

// The pipeline pushes, the session writer pops. What does not fit is counted, never waited for.
class PipelineSink {
  public:
    PipelineSink(int individuals, int bodyparts)
        : frames(sizeof(FrameRecord), 4096),
          poses(pose_record_bytes(individuals, bodyparts), 4096),
          events(sizeof(EventRecord), 8192),
          pose_record_(poses.record_bytes()) {}

    void push_frame(const FrameRecord& record) noexcept { count(frames.push(&record)); }
    void push_event(const EventRecord& record) noexcept { count(events.push(&record)); }
    void push_pose(std::int64_t frame_id, const PoseView& raw, const PoseView& filtered) noexcept {
        const std::size_t bytes = static_cast<std::size_t>(raw.size()) * sizeof(Keypoint);
        std::byte* out = pose_record_.data();
        std::memcpy(out, &frame_id, sizeof frame_id);
        std::memcpy(out + sizeof frame_id, raw.keypoints, bytes);
        std::memcpy(out + sizeof frame_id + bytes, filtered.keypoints, bytes);
        count(poses.push(out));
    }
    [[nodiscard]] std::int64_t lost() const noexcept { return lost_.load(std::memory_order_relaxed); }

    RecordQueue frames, poses, events;

  private:
    void count(bool taken) noexcept {
        if (!taken) lost_.fetch_add(1, std::memory_order_relaxed);
    }
    std::vector<std::byte> pose_record_;
    std::atomic<std::int64_t> lost_{0};
};

}  // namespace fastpose
