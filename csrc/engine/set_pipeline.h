// The pipelines of one loop: of a camera, or of cameras whose frames belong together.
#pragma once
#include <memory>
#include <span>
#include <vector>

#include "engine/batch.h"
#include "engine/pipeline.h"

namespace fastpose {

// A camera's frame of a set; `meta` null: it has none.
struct SetFrame {
    FrameView view;
    const FrameMeta* meta = nullptr;
    FrameRecord record{};  // in: dequeued_ns, drop_reason, flags
};

struct SetPipelineParts {
    std::vector<std::unique_ptr<Pipeline>> pipelines;
    std::shared_ptr<Batch> batch;  // null: each pipeline has a network of its own
};

// Note [One protocol]: A protocol belongs to one camera: it steps with each frame of that camera, and its
// pose is that camera's. One that `reads_all` sees the rules of all cameras of the set, in the order of the
// pipelines; those of a camera whose frame is missing keep their value. So all poses of a set are estimated
// before it decides. Any other sees those of its own camera, and decides as soon as they are there: where
// each camera has its own network, those of the others run after it.
//
// Thread-bound. process() never throws or allocates.
class SetPipeline {
  public:
    // Throws ConfigError.
    SetPipeline(SetPipelineParts parts, bool reads_all);

    // One frame or none of each camera, in their order.
    void process(std::span<SetFrame> frames) noexcept;
    // Warms all networks up; returns what those of a set take, ns.
    std::int64_t warm_up() noexcept;

    // Of the pipeline that has the protocol.
    [[nodiscard]] std::int64_t next_wakeup_ns() const noexcept { return pipeline(acting_).next_wakeup_ns(); }
    void wake(std::int64_t now_ns) noexcept { pipeline(acting_).wake(now_ns); }
    [[nodiscard]] bool protocol_finished() const noexcept { return pipeline(acting_).protocol_finished(); }

    [[nodiscard]] std::size_t size() const noexcept { return parts_.pipelines.size(); }
    [[nodiscard]] Pipeline& pipeline(std::size_t camera) noexcept { return *parts_.pipelines[camera]; }
    [[nodiscard]] const Pipeline& pipeline(std::size_t camera) const noexcept {
        return *parts_.pipelines[camera];
    }

  private:
    void one_by_one(std::span<SetFrame> frames) noexcept;
    void together(std::span<SetFrame> frames) noexcept;
    void estimate(std::span<SetFrame> frames) noexcept;
    void estimate_batch(std::span<SetFrame> frames) noexcept;
    [[nodiscard]] std::span<const std::uint8_t> seen_by_protocol() const noexcept;
    void gather_rules() noexcept;

    SetPipelineParts parts_;
    bool reads_all_ = false;
    std::size_t acting_ = 0;  // whose protocol it is
    std::vector<std::uint8_t> rules_, estimated_;
    std::vector<BatchItem> items_;
};

}  // namespace fastpose
