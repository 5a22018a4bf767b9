// Networks that give keypoints themselves: only the way back to the sensor is left to do.
#include "base/check.h"
#include "decode/keypoint.h"

namespace fastpose {
namespace {

class PointsDecoder final : public Decoder {
  public:
    explicit PointsDecoder(const PointsDecoderSpec& spec) : spec_(spec) {}

    void run(std::span<const TensorView> outputs, const DecodeAffine& affine,
             PoseView pose) noexcept override {
        std::fill_n(pose.keypoints, pose.size(), kMissing);
        if (outputs.empty()) return;
        const TensorView& points = outputs[0];
        if (points.shape[0] != 1 || points.shape[2] != spec_.bodyparts || points.shape[3] != 3) return;
        if (pose.bodyparts != spec_.bodyparts) return;
        const int keypoints = std::min(points.shape[1], pose.individuals) * spec_.bodyparts;
        for (int i = 0; i < keypoints; ++i) pose.keypoints[i] = keypoint(points.data + 3 * i, affine);
    }

  private:
    [[nodiscard]] Keypoint keypoint(const float* point, const DecodeAffine& affine) const noexcept {
        const bool found = std::isfinite(point[0]) && std::isfinite(point[1]) && !std::isnan(point[2]);
        return found ? on_sensor({point[0], point[1], activated(spec_.activation, point[2])}, affine)
                     : kMissing;
    }

    PointsDecoderSpec spec_;
};

}  // namespace

std::unique_ptr<Decoder> make_points_decoder(const PointsDecoderSpec& spec) {
    require_at_least("decoder.bodyparts", spec.bodyparts, 1);
    return std::make_unique<PointsDecoder>(spec);
}

}  // namespace fastpose
