// See Note [Roi tracking].
#include <algorithm>
#include <cmath>
#include <limits>

#include "base/check.h"
#include "engine/single_stage.h"

namespace fastpose {
namespace {

// Edges of the keypoints that are likely enough.
struct Extent {
    float left = std::numeric_limits<float>::infinity(), top = left, right = -left, bottom = -left;

    void add(const Keypoint& keypoint) noexcept {
        left = std::min(left, keypoint.x);
        top = std::min(top, keypoint.y);
        right = std::max(right, keypoint.x);
        bottom = std::max(bottom, keypoint.y);
    }
    [[nodiscard]] bool empty() const noexcept { return right < left; }
};

class TrackRoi final : public Estimator {
  public:
    TrackRoi(std::shared_ptr<MovingEstimator> wide, std::shared_ptr<MovingEstimator> narrow,
             const TrackRoiRules& rules)
        : wide_(std::move(wide)),
          narrow_(std::move(narrow)),
          area_(wide_->roi()),
          margin_px_(rules.margin_px),
          step_px_(rules.step_px),
          min_likelihood_(rules.min_likelihood) {
        const Roi roi = narrow_->roi();
        if (roi.width > area_.width || roi.height > area_.height)
            throw ConfigError("roi.size is " + std::to_string(roi.width) + "x" + std::to_string(roi.height) +
                              "; allowed: at most the " + std::to_string(area_.width) + "x" +
                              std::to_string(area_.height) + " px that are searched");
        require_at_least("roi.margin_px", margin_px_, 0);
        require_at_least("roi.step_px", step_px_, 1);
        require_between("roi.min_likelihood", static_cast<double>(min_likelihood_), 0, 1);
    }

    [[nodiscard]] bool run(const FrameView& frame, FrameRecord& record, PoseView pose) noexcept override {
        last_ = &next();
        return last_->run(frame, record, pose);
    }
    std::int64_t warm_up() noexcept override {
        wide_->warm_up();
        return narrow_->warm_up();
    }
    [[nodiscard]] Roi roi() const noexcept override { return following_ ? narrow_->roi() : area_; }
    [[nodiscard]] const char* last_error() const noexcept override { return last_->last_error(); }

    void follow(const PoseView& filtered) noexcept override {
        const Extent extent = extent_of(filtered);
        following_ = !extent.empty() && fits(extent);
        if (following_) centre_on(extent);
    }

  private:
    [[nodiscard]] MovingEstimator& next() noexcept { return following_ ? *narrow_ : *wide_; }

    [[nodiscard]] Extent extent_of(const PoseView& pose) const noexcept {
        Extent extent;
        for (int i = 0; i < pose.size(); ++i) {
            const Keypoint& keypoint = pose.keypoints[i];
            const bool finite = std::isfinite(keypoint.x) && std::isfinite(keypoint.y);
            if (finite && keypoint.likelihood >= min_likelihood_) extent.add(keypoint);
        }
        return extent;
    }

    // A keypoint covers its pixel, so the extent of one is 1 px.
    [[nodiscard]] bool fits(const Extent& extent) const noexcept {
        const Roi roi = narrow_->roi();
        const auto room = [&](int side) { return static_cast<float>(side - 2 * margin_px_ - 1); };
        return extent.right - extent.left <= room(roi.width) &&
               extent.bottom - extent.top <= room(roi.height);
    }

    void centre_on(const Extent& extent) noexcept {
        const Roi roi = narrow_->roi();
        narrow_->move_roi(start(extent.left, extent.right, roi.width, area_.x, area_.width),
                          start(extent.top, extent.bottom, roi.height, area_.y, area_.height));
    }

    // The corner is a whole number of steps from the area's.
    [[nodiscard]] int start(float low, float high, int side, int area_start, int area_side) const noexcept {
        const auto step = static_cast<float>(step_px_);
        const auto first = static_cast<float>(area_start);
        const float centred = (low + high + 1 - static_cast<float>(side)) / 2;
        const float corner = first + std::nearbyint((centred - first) / step) * step;
        return static_cast<int>(std::clamp(corner, first, static_cast<float>(area_start + area_side - side)));
    }

    std::shared_ptr<MovingEstimator> wide_, narrow_;
    Roi area_;
    int margin_px_, step_px_;
    float min_likelihood_;
    bool following_ = false;
    MovingEstimator* last_ = wide_.get();
};

}  // namespace

std::shared_ptr<Estimator> make_track_roi(std::shared_ptr<MovingEstimator> wide,
                                          std::shared_ptr<MovingEstimator> narrow,
                                          const TrackRoiRules& rules) {
    if (!wide || !narrow) throw ConfigError("roi tracking needs a wide and a narrow estimator");
    return std::make_shared<TrackRoi>(std::move(wide), std::move(narrow), rules);
}

std::shared_ptr<Estimator> make_track_roi(TrackRoiParts parts) {
    return make_track_roi(std::make_shared<SingleStage>(std::move(parts.wide)),
                          std::make_shared<SingleStage>(std::move(parts.narrow)),
                          {parts.margin_px, parts.step_px, parts.min_likelihood});
}

}  // namespace fastpose
