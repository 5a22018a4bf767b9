// Several animals from heatmaps and part affinity fields: peaks, pairs of peaks, animals.
#include "decode/paf_decoder.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "base/check.h"
#include "decode/keypoint.h"
#include "decode/paf_affinity.h"
#include "decode/paf_animals.h"
#include "decode/paf_peaks.h"
#include "decode/paf_smoothing.h"

namespace fastpose {
namespace {

class PafDecoder final : public Decoder {
  public:
    PafDecoder(const PafDecoderSpec& spec, Isa isa)
        : spec_(spec),
          cells_(static_cast<std::size_t>(spec.map_height) * spec.map_width),
          peak_spec_{spec.map_width, spec.map_height,  spec.nms_size,
                     spec.min_score, spec.individuals, paf_kernels_for(isa)},
          smoothing_(spec.map_width, spec.map_height, spec.smoothing_cells,
                     spec.activation == ScoreActivation::sigmoid, isa),
          affinity_(spec.map_width, spec.map_height, spec.points_per_limb),
          animals_(spec),
          scores_(cells_) {}

    void run(std::span<const TensorView> outputs, const DecodeAffine& affine,
             PoseView pose) noexcept override {
        std::fill_n(pose.keypoints, pose.size(), kMissing);
        if (!shapes_fit(outputs) || pose.bodyparts != spec_.bodyparts) return;
        for (int part = 0; part < spec_.bodyparts; ++part)
            find_peaks(outputs[0].data, has_locref() ? outputs[1].data : nullptr, part);
        const float* fields = outputs.back().data;
        animals_.write(affine, pose, [&](std::size_t limb, int i, int j) {
            const auto [from, to] = spec_.limbs[limb];
            return affinity_(fields + 2 * limb * cells_, animals_.peaks_of(from)[i],
                             animals_.peaks_of(to)[j]);
        });
    }

  private:
    [[nodiscard]] bool has_locref() const noexcept { return spec_.locref_stdev > 0; }

    [[nodiscard]] bool shapes_fit(std::span<const TensorView> outputs) const noexcept {
        const auto fits = [&](const TensorView& map, std::size_t channels) {
            return map.shape ==
                   std::array<int, 4>{1, static_cast<int>(channels), spec_.map_height, spec_.map_width};
        };
        const std::size_t needed = has_locref() ? 3 : 2, parts = spec_.bodyparts;
        return outputs.size() == needed && fits(outputs[0], parts) &&
               (!has_locref() || fits(outputs[1], 2 * parts)) && fits(outputs.back(), 2 * spec_.limbs.size());
    }

    void find_peaks(const float* heatmap, const float* locref, int part) noexcept {
        smoothing_.run(heatmap + part * cells_, scores_.data());
        const auto peaks = animals_.peaks_of(part);
        const int count = find_paf_peaks(scores_.data(), peak_spec_, peaks);
        for (int i = 0; i < count; ++i) animals_.places_of(part)[i] = place(peaks[i], locref, part);
        animals_.set_count(part, count);
    }

    // The centre of the cell, as DeepLabCut places it, and the offset from there.
    [[nodiscard]] PafPlace place(const PafPeak& peak, const float* locref, int part) const noexcept {
        const float half = std::floor(spec_.stride / 2);
        PafPlace place{static_cast<float>(peak.column) * spec_.stride + half,
                       static_cast<float>(peak.row) * spec_.stride + half};
        if (locref == nullptr) return place;
        const std::size_t cell = static_cast<std::size_t>(peak.row) * spec_.map_width + peak.column;
        const float* offsets = locref + 2 * part * cells_ + cell;
        place.x += offsets[0] * spec_.locref_stdev;
        place.y += offsets[cells_] * spec_.locref_stdev;
        return place;
    }

    PafDecoderSpec spec_;
    std::size_t cells_;
    PafPeakSpec peak_spec_;
    PafSmoothing smoothing_;
    PafAffinity affinity_;
    PafAnimals animals_;
    std::vector<float> scores_;
};

void check_limbs(const PafDecoderSpec& spec) {
    if (spec.limbs.empty())
        throw ConfigError("decoder.limbs is empty; allowed: at least one pair of bodyparts");
    for (std::size_t i = 0; i < spec.limbs.size(); ++i) {
        const auto [a, b] = spec.limbs[i];
        require_index("decoder.limbs", a, spec.bodyparts);
        require_index("decoder.limbs", b, spec.bodyparts);
        const auto same = [&, a = a, b = b](const std::array<int, 2>& other) {
            return other == std::array{a, b} || other == std::array{b, a};
        };
        if (a == b || std::any_of(spec.limbs.begin(), spec.limbs.begin() + i, same))
            throw ConfigError("decoder.limbs holds " + std::to_string(a) + ", " + std::to_string(b) +
                              "; allowed: pairs of different bodyparts, each once");
    }
}

}  // namespace

void check_paf(const PafDecoderSpec& spec) {
    require_at_least("decoder.bodyparts", spec.bodyparts, 1);
    require_between("decoder.individuals", spec.individuals, 1, 256);
    require_at_least("decoder.map_height", spec.map_height, 1);
    require_at_least("decoder.map_width", spec.map_width, 1);
    require_above("decoder.stride", static_cast<double>(spec.stride), 0);
    require_at_least("decoder.locref_stdev", static_cast<double>(spec.locref_stdev), 0);
    require_at_least("decoder.smoothing_cells", static_cast<double>(spec.smoothing_cells), 0);
    require_between("decoder.nms_size", spec.nms_size, 1, 63);
    if (spec.nms_size % 2 == 0) detail::throw_not_allowed("decoder.nms_size", spec.nms_size, "an odd number");
    require_between("decoder.min_score", spec.min_score, 0, 1);
    require_between("decoder.min_likelihood", spec.min_likelihood, 0, 1);
    require_between("decoder.min_affinity", spec.min_affinity, 0, 1);
    require_between("decoder.points_per_limb", spec.points_per_limb, 2, 64);
    check_limbs(spec);
}

std::unique_ptr<Decoder> make_paf_decoder(const PafDecoderSpec& spec) {
    return make_paf_decoder(spec, best_isa());
}

std::unique_ptr<Decoder> make_paf_decoder(const PafDecoderSpec& spec, Isa isa) {
    check_paf(spec);
    return std::make_unique<PafDecoder>(spec, isa);
}

}  // namespace fastpose
