// SimCC: an argmax per bodypart and axis, and how sure the softmax is of it.
#include <array>

#include "base/check.h"
#include "decode/argmax.h"
#include "decode/keypoint.h"

namespace fastpose {
namespace {

class SimccDecoder final : public Decoder {
  public:
    explicit SimccDecoder(const SimccDecoderSpec& spec) : spec_(spec), argmax_(argmax_for(best_isa())) {}

    void run(std::span<const TensorView> outputs, const DecodeAffine& affine,
             PoseView pose) noexcept override {
        std::fill_n(pose.keypoints, pose.size(), kMissing);
        if (!shapes_fit(outputs) || pose.individuals < 1) return;
        for (int k = 0; k < std::min(spec_.bodyparts, pose.bodyparts); ++k) {
            const float* x = outputs[0].data + static_cast<std::size_t>(k) * spec_.bins_x;
            const float* y = outputs[1].data + static_cast<std::size_t>(k) * spec_.bins_y;
            pose.at(0, k) = keypoint(x, y, affine);
        }
    }

  private:
    [[nodiscard]] bool shapes_fit(std::span<const TensorView> outputs) const noexcept {
        using Shape = std::array<int, 4>;
        return outputs.size() > 1 && outputs[0].shape == Shape{1, 1, spec_.bodyparts, spec_.bins_x} &&
               outputs[1].shape == Shape{1, 1, spec_.bodyparts, spec_.bins_y};
    }

    [[nodiscard]] Keypoint keypoint(const float* x, const float* y,
                                    const DecodeAffine& affine) const noexcept {
        const Peak column = argmax_(x, static_cast<std::size_t>(spec_.bins_x));
        const Peak row = argmax_(y, static_cast<std::size_t>(spec_.bins_y));
        if (!std::isfinite(column.value) || !std::isfinite(row.value)) return kMissing;
        const float likelihood =
            std::min(sureness(x, spec_.bins_x, column.value), sureness(y, spec_.bins_y, row.value));
        const float chance = spec_.softmax ? 1.0F / static_cast<float>(spec_.bins_x) : 0.0F;
        if (!(likelihood > chance)) return kMissing;
        return on_sensor({static_cast<float>(column.index) / spec_.split_ratio,
                          static_cast<float>(row.index) / spec_.split_ratio, likelihood},
                         affine);
    }

    // The softmax at the maximum: 1 / (sum of exp(temperature * (logit - maximum))).
    [[nodiscard]] float sureness(const float* logits, int bins, float maximum) const noexcept {
        if (!spec_.softmax) return spec_.temperature * maximum;
        float sum = 0;
        for (int i = 0; i < bins; ++i)
            if (!std::isnan(logits[i])) sum += std::exp(spec_.temperature * (logits[i] - maximum));
        return 1.0F / sum;
    }

    SimccDecoderSpec spec_;
    Argmax argmax_;
};

}  // namespace

std::unique_ptr<Decoder> make_simcc_decoder(const SimccDecoderSpec& spec) {
    require_at_least("decoder.bodyparts", spec.bodyparts, 1);
    require_at_least("decoder.bins_x", spec.bins_x, 1);
    require_at_least("decoder.bins_y", spec.bins_y, 1);
    require_above("decoder.split_ratio", static_cast<double>(spec.split_ratio), 0);
    require_above("decoder.temperature", static_cast<double>(spec.temperature), 0);
    return std::make_unique<SimccDecoder>(spec);
}

}  // namespace fastpose
