// Two launches and two waits a frame; without an animal one of each.
#include "engine/cuda_top_down.h"

#include <algorithm>
#include <utility>

#include "base/clock.h"
#include "base/error.h"

namespace fastpose {
namespace {

class CudaTopDown final : public Estimator {
  public:
    CudaTopDown(std::shared_ptr<CudaNetwork> detector, std::shared_ptr<BoxFinder> boxes,
                std::shared_ptr<CudaCrops> crops)
        : detector_(std::move(detector)), boxes_(std::move(boxes)), crops_(std::move(crops)) {
        if (!detector_ || !boxes_ || !crops_)
            throw ConfigError("a top-down estimator needs a detector, a finder of boxes and crops");
        failed_ = detector_->last_error();
    }

    [[nodiscard]] bool run(const FrameView& frame, FrameRecord& record, PoseView pose) noexcept override {
        const BatchItem item{&frame, &record, {&unused_, 1, 1}};
        failed_ = detector_->last_error();
        if (!detector_->run({&item, 1})) return false;
        const auto found = boxes_->found();
        const auto room = std::min(found.size(), static_cast<std::size_t>(pose.individuals));
        failed_ = crops_->last_error();
        if (room > 0 && !crops_->run(found.first(room))) return false;
        record.inferred_ns = now_ns();
        if (room > 0)
            crops_->deliver(pose);
        else
            make_missing(pose);
        record.decoded_ns = now_ns();
        return true;
    }
    std::int64_t warm_up() noexcept override { return detector_->warm_up() + crops_->warm_up(); }
    [[nodiscard]] Roi roi() const noexcept override { return detector_->roi(0); }
    void follow(const PoseView&) noexcept override {}
    [[nodiscard]] const char* last_error() const noexcept override { return failed_; }
    void use_ring(const std::shared_ptr<Ring>& ring) override { detector_->use_ring(ring); }

  private:
    std::shared_ptr<CudaNetwork> detector_;
    std::shared_ptr<BoxFinder> boxes_;
    std::shared_ptr<CudaCrops> crops_;
    Keypoint unused_{};
    const char* failed_ = "";  // of the network that last_error() is about
};

}  // namespace

std::shared_ptr<Estimator> make_cuda_top_down(std::shared_ptr<CudaNetwork> detector,
                                              std::shared_ptr<BoxFinder> boxes,
                                              std::shared_ptr<CudaCrops> crops) {
    return std::make_shared<CudaTopDown>(std::move(detector), std::move(boxes), std::move(crops));
}

}  // namespace fastpose
