// Several animals from heatmaps and part affinity fields: peaks, pairs of peaks, animals.
#include "decode/paf_decoder.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "base/check.h"
#include "decode/paf_assembler.h"
#include "decode/paf_links.h"
#include "decode/paf_peaks.h"
#include "decode/paf_smoothing.h"

namespace fastpose {
namespace {

constexpr Keypoint kMissing{std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::quiet_NaN(),
                            0};

class PafDecoder final : public Decoder {
  public:
    PafDecoder(const PafDecoderSpec& spec, Isa isa)
        : spec_(spec),
          cells_(static_cast<std::size_t>(spec.map_height) * spec.map_width),
          peak_spec_{spec.map_width, spec.map_height,  spec.nms_size,
                     spec.min_score, spec.individuals, paf_kernels_for(isa)},
          smoothing_(spec.map_width, spec.map_height, spec.smoothing_cells,
                     spec.activation == ScoreActivation::sigmoid, isa),
          links_({spec.limbs, spec.individuals, spec.min_likelihood, spec.min_affinity},
                 PafAffinity(spec.map_width, spec.map_height, spec.points_per_limb)),
          assembler_(spec.individuals, spec.bodyparts,
                     static_cast<int>(spec.limbs.size()) * spec.individuals),
          scores_(cells_),
          peaks_(static_cast<std::size_t>(spec.bodyparts) * spec.individuals),
          counts_(spec.bodyparts),
          places_(peaks_.size()) {}

    void run(std::span<const TensorView> outputs, const DecodeAffine& affine,
             PoseView pose) noexcept override {
        std::fill_n(pose.keypoints, pose.size(), kMissing);
        if (!shapes_fit(outputs) || pose.bodyparts != spec_.bodyparts) return;
        find_peaks(outputs[0].data, has_locref() ? outputs[1].data : nullptr);
        if (spec_.bodyparts == 1) return write_peaks(affine, pose);
        if (spec_.individuals == 1) return write_highest(affine, pose);
        const auto links = links_.run(peaks_, counts_, outputs.back().data, cells_);
        const int animals = std::min(assembler_.run(links, places_), pose.individuals);
        for (int animal = 0; animal < animals; ++animal)
            for (int part = 0; part < spec_.bodyparts; ++part)
                if (const int node = assembler_.node(animal, part); node >= 0)
                    pose.at(animal, part) = keypoint(node, affine);
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

    void find_peaks(const float* heatmap, const float* locref) noexcept {
        for (int part = 0; part < spec_.bodyparts; ++part) {
            const int first = part * spec_.individuals;
            smoothing_.run(heatmap + part * cells_, scores_.data());
            counts_[part] = find_paf_peaks(scores_.data(), peak_spec_,
                                           std::span(peaks_).subspan(first, spec_.individuals));
            for (int i = 0; i < counts_[part]; ++i)
                places_[first + i] = place(peaks_[first + i], locref, part);
        }
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

    [[nodiscard]] Keypoint keypoint(int node, const DecodeAffine& affine) const noexcept {
        const PafPlace& place = places_[node];
        if (!std::isfinite(place.x) || !std::isfinite(place.y)) return kMissing;
        const float score = peaks_[node].score;
        const bool clips = spec_.activation == ScoreActivation::clip;
        return {place.x * affine.scale_x + affine.offset_x, place.y * affine.scale_y + affine.offset_y,
                clips ? std::clamp(score, 0.0F, 1.0F) : score};
    }

    // Animals of one bodypart: each peak is one, in row-major order.
    void write_peaks(const DecodeAffine& affine, PoseView pose) noexcept {
        std::array<int, 256> nodes{};
        const int count = std::min({counts_[0], pose.individuals, static_cast<int>(nodes.size())});
        for (int i = 0; i < count; ++i) nodes[i] = i;
        std::sort(nodes.begin(), nodes.begin() + count, [&](int a, int b) {
            return std::pair(peaks_[a].row, peaks_[a].column) < std::pair(peaks_[b].row, peaks_[b].column);
        });
        int animal = 0;
        for (int i = 0; i < count; ++i)
            if (peaks_[nodes[i]].score >= spec_.min_likelihood)
                pose.at(animal++, 0) = keypoint(nodes[i], affine);
    }

    // One animal: the highest peak of each bodypart.
    void write_highest(const DecodeAffine& affine, PoseView pose) noexcept {
        for (int part = 0; part < spec_.bodyparts; ++part)
            if (counts_[part] > 0) pose.at(0, part) = keypoint(part, affine);
    }

    PafDecoderSpec spec_;
    std::size_t cells_;
    PafPeakSpec peak_spec_;
    PafSmoothing smoothing_;
    PafLinks links_;
    PafAssembler assembler_;
    std::vector<float> scores_;
    std::vector<PafPeak> peaks_;
    std::vector<int> counts_;
    std::vector<PafPlace> places_;
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

void check(const PafDecoderSpec& spec) {
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

}  // namespace

std::unique_ptr<Decoder> make_paf_decoder(const PafDecoderSpec& spec) {
    return make_paf_decoder(spec, best_isa());
}

std::unique_ptr<Decoder> make_paf_decoder(const PafDecoderSpec& spec, Isa isa) {
    check(spec);
    return std::make_unique<PafDecoder>(spec, isa);
}

}  // namespace fastpose
