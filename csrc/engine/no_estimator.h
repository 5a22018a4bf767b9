// An estimator that is never asked: poses come from elsewhere.
#pragma once
#include <cstdint>

#include "engine/estimator.h"

namespace fastpose {

class NoEstimator final : public Estimator {
  public:
    // `work_ns`: what the network took at warm-up.
    explicit NoEstimator(std::int64_t work_ns) : work_ns_(work_ns) {}

    bool run(const FrameView&, FrameRecord&, PoseView) noexcept override { return false; }
    std::int64_t warm_up() noexcept override { return work_ns_; }
    Roi roi() const noexcept override { return {}; }
    void follow(const PoseView&) noexcept override {}
    const char* last_error() const noexcept override { return "there is no network"; }

  private:
    std::int64_t work_ns_;
};

}  // namespace fastpose
