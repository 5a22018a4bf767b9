// One network on one roi: an estimator of its own, and what roi tracking is made of.
#pragma once
#include "engine/estimator.h"

namespace fastpose {

class SingleStage final : public MovingEstimator {
  public:
    explicit SingleStage(StageParts parts);

    [[nodiscard]] bool run(const FrameView& frame, FrameRecord& record, PoseView pose) noexcept override;
    std::int64_t warm_up() noexcept override;
    [[nodiscard]] Roi roi() const noexcept override { return parts_.preprocessor->roi(); }
    void follow(const PoseView&) noexcept override {}
    [[nodiscard]] const char* last_error() const noexcept override { return parts_.backend->last_error(); }

    void move_roi(int x, int y) noexcept override { parts_.preprocessor->move_roi(x, y); }

  private:
    StageParts parts_;
};

// Throws ConfigError unless what is written is what the backend takes.
void require_same_format(TensorFormat written, Backend& backend);
// Runs a network until it is warm; returns its shortest run, ns.
std::int64_t warm_up_ns(Backend& backend) noexcept;

[[nodiscard]] inline DecodeAffine affine_of(const TensorToSensor& map) noexcept {
    return {map.scale_x, map.scale_y, map.offset_x, map.offset_y};
}

}  // namespace fastpose
