// Peaks of each bodypart, and the field along the line between each two of them.
#include "decode/paf_tree_decoder.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <iterator>
#include <string>

#include "base/check.h"
#include "decode/keypoint.h"
#include "decode/limb_affinity.h"
#include "decode/paf_tree_animals.h"

namespace fastpose {
namespace {

class PafTreeDecoder final : public Decoder {
  public:
    explicit PafTreeDecoder(const PafTreeSpec& spec) : spec_(spec), field_(field_of(spec)), animals_(spec) {}

    void run(std::span<const TensorView> outputs, const DecodeAffine& affine,
             PoseView pose) noexcept override {
        std::fill_n(pose.keypoints, pose.size(), kMissing);
        if (!shapes_fit(outputs) || pose.bodyparts != spec_.bodyparts) return;
        for (int part = 0; part < spec_.bodyparts; ++part) find_peaks(outputs[0].data, part);
        const std::size_t cells = static_cast<std::size_t>(spec_.limb_height) * spec_.limb_width;
        animals_.write(affine, pose, [&](int limb, int i, int j) {
            const Keypoint& from = animals_.peaks_of(spec_.limbs[limb][0])[i];
            const Keypoint& to = animals_.peaks_of(spec_.limbs[limb][1])[j];
            const float* field = outputs[1].data + 2 * static_cast<std::size_t>(limb) * cells;
            return tree_affinity(field, field_, from.x, from.y, to.x, to.y);
        });
    }

  private:
    [[nodiscard]] bool shapes_fit(std::span<const TensorView> outputs) const noexcept {
        using Shape = std::array<int, 4>;
        const int fields = 2 * static_cast<int>(spec_.limbs.size());
        return outputs.size() == 2 &&
               outputs[0].shape == Shape{1, spec_.bodyparts, spec_.map_height, spec_.map_width} &&
               outputs[1].shape == Shape{1, fields, spec_.limb_height, spec_.limb_width};
    }

    // In row-major order, as SLEAP has them: the order decides which animal is the first.
    void find_peaks(const float* heatmap, int part) noexcept {
        const MapSize size{spec_.map_height, spec_.map_width};
        const float* map = heatmap + static_cast<std::size_t>(part) * size.height * size.width;
        int count = 0;
        for (int row = 0; row < size.height; ++row)
            for (int column = 0; column < size.width; ++column) {
                const float score = map[static_cast<std::size_t>(row) * size.width + column];
                if (!(score > spec_.min_score) || !is_local_peak(map, size, row, column)) continue;
                const Keypoint place = refined_peak(map, size, row, column, spec_.window);
                count = keep(part, count, {place.x * spec_.stride, place.y * spec_.stride, score});
            }
        animals_.set_count(part, count);
    }

    // Where there is no room the lowest goes, of equal ones the last.
    [[nodiscard]] int keep(int part, int count, const Keypoint& peak) noexcept {
        if (!std::isfinite(peak.x) || !std::isfinite(peak.y)) return count;
        const auto kept = animals_.room_of(part);
        if (count == spec_.most_peaks) {
            const auto least = std::prev(
                std::min_element(kept.rbegin(), kept.rend(), [](const Keypoint& a, const Keypoint& b) {
                    return a.likelihood < b.likelihood;
                }).base());
            if (least->likelihood >= peak.likelihood) return count;
            std::copy(std::next(least), kept.end(), least);
            --count;
        }
        kept[count] = peak;
        return count + 1;
    }

    PafTreeSpec spec_;
    TreeField field_;
    PafTreeAnimals animals_;
};

void check_limbs(const PafTreeSpec& spec) {
    if (spec.limbs.empty())
        throw ConfigError("decoder.limbs is empty; allowed: at least one pair of bodyparts");
    for (const auto& limb : spec.limbs)
        for (const int part : limb) require_index("decoder.limbs", part, spec.bodyparts);
    std::vector<char> reached(static_cast<std::size_t>(spec.bodyparts), 0);
    for (const int limb : spec.order) {
        require_index("decoder.order", limb, static_cast<int>(spec.limbs.size()));
        const auto [from, to] = spec.limbs[limb];
        const bool first = limb == spec.order.front();
        if ((!first && !reached[from]) || reached[to] || from == to)
            throw ConfigError("decoder.order holds limb " + std::to_string(limb) +
                              "; allowed: limbs that lead from a bodypart that was reached to a new one");
        reached[from] = reached[to] = 1;
    }
}

}  // namespace

void check_paf_tree(const PafTreeSpec& spec) {
    require_at_least("decoder.bodyparts", spec.bodyparts, 1);
    require_between("decoder.individuals", spec.individuals, 1, 256);
    require_at_least("decoder.map_height", spec.map_height, 1);
    require_at_least("decoder.map_width", spec.map_width, 1);
    require_at_least("decoder.limb_height", spec.limb_height, 1);
    require_at_least("decoder.limb_width", spec.limb_width, 1);
    require_above("decoder.stride", static_cast<double>(spec.stride), 0);
    require_above("decoder.limb_stride", static_cast<double>(spec.limb_stride), 0);
    require_between("decoder.window", spec.window, 1, 63);
    if (spec.window % 2 == 0) detail::throw_not_allowed("decoder.window", spec.window, "an odd number");
    require_between("decoder.most_peaks", spec.most_peaks, 1, 256);
    require_between("decoder.points_per_limb", spec.points_per_limb, 2, 64);
    check_limbs(spec);
}

std::unique_ptr<Decoder> make_paf_tree_decoder(const PafTreeSpec& spec) {
    check_paf_tree(spec);
    return std::make_unique<PafTreeDecoder>(spec);
}

}  // namespace fastpose
