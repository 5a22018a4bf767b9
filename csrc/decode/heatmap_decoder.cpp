// Heatmap and locref to keypoints: one argmax per bodypart, then a handful of numbers.
#include "decode/heatmap_decoder.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/check.h"
#include "decode/argmax.h"
#include "decode/keypoint.h"

namespace fastpose {
namespace {

class HeatmapDecoder final : public Decoder {
  public:
    HeatmapDecoder(const HeatmapDecoderSpec& spec, Isa isa)
        : spec_(spec),
          cells_(static_cast<std::size_t>(spec.map_height) * spec.map_width),
          width_(static_cast<std::size_t>(spec.map_width)),
          argmax_(argmax_for(isa)) {}

    void run(std::span<const TensorView> outputs, const DecodeAffine& affine,
             PoseView pose) noexcept override {
        std::fill_n(pose.keypoints, pose.size(), kMissing);
        if (!shapes_fit(outputs) || pose.individuals < 1) return;
        const float* locref = spec_.locref_stdev > 0 ? outputs[1].data : nullptr;
        for (int k = 0; k < std::min(spec_.bodyparts, pose.bodyparts); ++k) {
            const float* part = locref == nullptr ? nullptr : locref + 2 * k * cells_;
            pose.at(0, k) = keypoint(outputs[0].data + k * cells_, part, affine);
        }
    }

  private:
    [[nodiscard]] bool shapes_fit(std::span<const TensorView> outputs) const noexcept {
        using Shape = std::array<int, 4>;
        if (outputs.empty() ||
            outputs[0].shape != Shape{1, spec_.bodyparts, spec_.map_height, spec_.map_width}) {
            return false;
        }
        if (spec_.locref_stdev <= 0) return true;
        return outputs.size() > 1 &&
               outputs[1].shape == Shape{1, 2 * spec_.bodyparts, spec_.map_height, spec_.map_width};
    }

    // locref: the x map, behind it the y map; nullptr without.
    [[nodiscard]] Keypoint keypoint(const float* heatmap, const float* locref,
                                    const DecodeAffine& affine) const noexcept {
        const Peak peak = argmax_(heatmap, cells_);
        if (!std::isfinite(peak.value)) return kMissing;
        const std::size_t column = peak.index % width_, row = peak.index / width_;
        float x = (static_cast<float>(column) + 0.5F) * spec_.stride;
        float y = (static_cast<float>(row) + 0.5F) * spec_.stride;
        if (locref != nullptr) {
            x += locref[peak.index] * spec_.locref_stdev;
            y += locref[cells_ + peak.index] * spec_.locref_stdev;
        }
        if (!std::isfinite(x) || !std::isfinite(y)) return kMissing;
        return on_sensor({x, y, activated(spec_.activation, peak.value)}, affine);
    }

    HeatmapDecoderSpec spec_;
    std::size_t cells_, width_;
    Argmax argmax_;
};

void check(const HeatmapDecoderSpec& spec) {
    require_at_least("decoder.bodyparts", spec.bodyparts, 1);
    require_at_least("decoder.map_height", spec.map_height, 1);
    require_at_least("decoder.map_width", spec.map_width, 1);
    require_above("decoder.stride", static_cast<double>(spec.stride), 0);
    require_at_least("decoder.locref_stdev", static_cast<double>(spec.locref_stdev), 0);
}

}  // namespace

std::unique_ptr<Decoder> make_heatmap_decoder(const HeatmapDecoderSpec& spec, Isa isa) {
    check(spec);
    return std::make_unique<HeatmapDecoder>(spec, isa);
}

std::unique_ptr<Decoder> make_heatmap_decoder(const HeatmapDecoderSpec& spec) {
    return make_heatmap_decoder(spec, best_isa());
}

}  // namespace fastpose
