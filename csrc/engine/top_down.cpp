// Detector, crops, network, decode.
#include <algorithm>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "engine/batch.h"
#include "engine/single_stage.h"

namespace fastpose {
namespace {

void check(const TopDownParts& parts) {
    if (!parts.preprocessor || !parts.detector || !parts.boxes || !parts.cropper || !parts.pose.backend ||
        !parts.pose.decoder)
        throw ConfigError(
            "a top-down estimator needs a preprocessor, a detector with its decoder, a cropper, "
            "a backend and a decoder");
    require_same_format(parts.preprocessor->format(), *parts.detector);
    require_same_format(parts.cropper->format(), *parts.pose.backend);
}

class TopDown final : public Estimator {
  public:
    explicit TopDown(TopDownParts parts) : parts_(std::move(parts)) {
        check(parts_);
        const std::array<int, 4> shape = parts_.pose.backend->input_shape();
        boxes_.resize(static_cast<std::size_t>(shape[0]));
        affines_.resize(boxes_.size());
        rows_.resize(parts_.pose.backend->outputs().size());
        crop_bytes_ = TensorView{nullptr, {1, shape[1], shape[2], shape[3]}}.size() *
                      parts_.cropper->format().element_bytes();
    }

    [[nodiscard]] bool run(const FrameView& frame, FrameRecord& record, PoseView pose) noexcept override {
        parts_.preprocessor->run(frame, parts_.detector->input().data);
        record.preprocessed_ns = now_ns();
        const bool good = detect(pose.individuals) && estimate(frame);
        record.inferred_ns = now_ns();
        if (!good) return false;
        decode(pose);
        record.decoded_ns = now_ns();
        return true;
    }
    std::int64_t warm_up() noexcept override {
        return warm_up_ns(*parts_.detector) + warm_up_ns(*parts_.pose.backend);
    }
    [[nodiscard]] Roi roi() const noexcept override { return parts_.preprocessor->roi(); }
    void follow(const PoseView&) noexcept override {}
    [[nodiscard]] const char* last_error() const noexcept override { return failed_->last_error(); }

  private:
    bool detect(int individuals) noexcept {
        failed_ = parts_.detector.get();
        if (!parts_.detector->run()) return false;
        const auto room = std::min(boxes_.size(), static_cast<std::size_t>(individuals));
        found_ = parts_.boxes->run(parts_.detector->outputs(),
                                   affine_of(parts_.preprocessor->tensor_to_sensor()), {boxes_.data(), room});
        return true;
    }

    bool estimate(const FrameView& frame) noexcept {
        if (found_ == 0) return true;
        parts_.cropper->begin(frame);
        auto* batch = static_cast<std::byte*>(parts_.pose.backend->input().data);
        for (std::size_t i = 0; i < static_cast<std::size_t>(found_); ++i)
            affines_[i] = affine_of(parts_.cropper->run(boxes_[i], batch + i * crop_bytes_));
        failed_ = parts_.pose.backend.get();
        return parts_.pose.backend->run();
    }

    void decode(PoseView pose) noexcept {
        make_missing(pose);
        for (int i = 0; i < found_; ++i) {
            slice(i);
            parts_.pose.decoder->run(rows_, affines_[static_cast<std::size_t>(i)],
                                     {&pose.at(i, 0), 1, pose.bodyparts});
        }
    }

    void slice(int i) noexcept {
        const auto outputs = parts_.pose.backend->outputs();
        for (std::size_t o = 0; o < rows_.size(); ++o)
            rows_[o] = row_of(outputs[o], i, static_cast<int>(boxes_.size()));
    }

    TopDownParts parts_;
    std::vector<Box> boxes_;
    std::vector<DecodeAffine> affines_;  // crop px -> sensor px, per row of the batch
    std::vector<TensorView> rows_;       // one animal's part of each output
    std::size_t crop_bytes_ = 0;
    int found_ = 0;
    const Backend* failed_ = nullptr;  // the network that last_error() is about
};

}  // namespace

std::shared_ptr<Estimator> make_top_down(TopDownParts parts) {
    return std::make_shared<TopDown>(std::move(parts));
}

}  // namespace fastpose
