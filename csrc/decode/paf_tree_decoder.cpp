// Peaks of each bodypart, pairs of each limb, animals along the tree of limbs.
#include "decode/paf_tree_decoder.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <string>

#include "base/assignment.h"
#include "base/check.h"
#include "decode/keypoint.h"

namespace fastpose {
namespace {

constexpr double kNever = 1e6;  // cost of a pair whose affinity is no number

class PafTreeDecoder final : public Decoder {
  public:
    explicit PafTreeDecoder(const PafTreeSpec& spec)
        : spec_(spec),
          peaks_(static_cast<std::size_t>(spec.bodyparts) * spec.most_peaks),
          counts_(spec.bodyparts),
          animal_of_(peaks_.size()),
          assignment_(spec.most_peaks),
          costs_(static_cast<std::size_t>(spec.most_peaks) * spec.most_peaks),
          partner_(spec.most_peaks),
          affinities_(peaks_.size()),
          ranks_(peaks_.size()) {
        const int largest = std::max({2 * static_cast<int>(spec.limbs.size()), spec.limb_height,
                                      spec.limb_width});  // SLEAP counts the channels in
        longest_px_ = spec.length_ratio * static_cast<float>(largest) * spec.limb_stride;
    }

    void run(std::span<const TensorView> outputs, const DecodeAffine& affine,
             PoseView pose) noexcept override {
        std::fill_n(pose.keypoints, pose.size(), kMissing);
        if (!shapes_fit(outputs) || pose.bodyparts != spec_.bodyparts) return;
        for (int part = 0; part < spec_.bodyparts; ++part) find_peaks(outputs[0].data, part);
        std::fill(animal_of_.begin(), animal_of_.end(), -1);
        animals_ = 0;
        for (const int limb : spec_.order) walk(limb, outputs[1].data);
        write(affine, pose);
    }

  private:
    [[nodiscard]] bool shapes_fit(std::span<const TensorView> outputs) const noexcept {
        using Shape = std::array<int, 4>;
        const int fields = 2 * static_cast<int>(spec_.limbs.size());
        return outputs.size() == 2 &&
               outputs[0].shape == Shape{1, spec_.bodyparts, spec_.map_height, spec_.map_width} &&
               outputs[1].shape == Shape{1, fields, spec_.limb_height, spec_.limb_width};
    }

    [[nodiscard]] std::span<Keypoint> peaks_of(int part) noexcept {
        return std::span(peaks_).subspan(static_cast<std::size_t>(part) * spec_.most_peaks, counts_[part]);
    }

    // In row-major order, as SLEAP has them: the order decides which animal is the first.
    void find_peaks(const float* heatmap, int part) noexcept {
        const MapSize size{spec_.map_height, spec_.map_width};
        const float* map = heatmap + static_cast<std::size_t>(part) * size.height * size.width;
        counts_[part] = 0;
        for (int row = 0; row < size.height; ++row)
            for (int column = 0; column < size.width; ++column) {
                const float score = map[static_cast<std::size_t>(row) * size.width + column];
                if (!(score > spec_.min_score) || !is_local_peak(map, size, row, column)) continue;
                const Keypoint place = refined_peak(map, size, row, column, spec_.window);
                keep(part, {place.x * spec_.stride, place.y * spec_.stride, score});
            }
    }

    void keep(int part, const Keypoint& peak) noexcept {
        if (!std::isfinite(peak.x) || !std::isfinite(peak.y)) return;
        Keypoint* first = peaks_.data() + static_cast<std::size_t>(part) * spec_.most_peaks;
        if (counts_[part] == spec_.most_peaks) {
            Keypoint* last = first + counts_[part];
            Keypoint* least = std::min_element(first, last, [](const Keypoint& a, const Keypoint& b) {
                return a.likelihood < b.likelihood;
            });
            if (least->likelihood >= peak.likelihood) return;
            std::copy(least + 1, last, least);
            --counts_[part];
        }
        first[counts_[part]++] = peak;
    }

    void walk(int limb, const float* fields) noexcept {
        const auto [from, to] = spec_.limbs[limb];
        const std::size_t cells = static_cast<std::size_t>(spec_.limb_height) * spec_.limb_width;
        const float* field = fields + 2 * static_cast<std::size_t>(limb) * cells;
        const auto starts = peaks_of(from), ends = peaks_of(to);
        if (starts.empty() || ends.empty()) return;
        for (std::size_t i = 0; i < starts.size(); ++i)
            for (std::size_t j = 0; j < ends.size(); ++j) {
                const float found = affinity(field, starts[i], ends[j]);
                costs_[i * ends.size() + j] = std::isfinite(found) ? -static_cast<double>(found) : kNever;
            }
        assignment_.solve(costs_, static_cast<int>(starts.size()), static_cast<int>(ends.size()), partner_);
        for (std::size_t i = 0; i < starts.size(); ++i) {
            if (partner_[i] < 0) continue;
            const auto found = static_cast<float>(-costs_[i * ends.size() + partner_[i]]);
            if (found >= spec_.min_affinity)
                link(from * spec_.most_peaks + static_cast<int>(i), to * spec_.most_peaks + partner_[i],
                     found);
        }
    }

    // Nodes: index of a peak among all.
    void link(int from, int to, float affinity) noexcept {
        if (animal_of_[from] < 0) {
            affinities_[animals_] = 0;
            animal_of_[from] = animals_++;
        }
        animal_of_[to] = animal_of_[from];
        affinities_[animal_of_[from]] += affinity;
    }

    [[nodiscard]] float affinity(const float* field, const Keypoint& from,
                                 const Keypoint& to) const noexcept {
        const std::size_t cells = static_cast<std::size_t>(spec_.limb_height) * spec_.limb_width;
        const float dx = to.x - from.x, dy = to.y - from.y, length = std::sqrt(dx * dx + dy * dy);
        const auto last = static_cast<float>(spec_.points_per_limb - 1);
        float sum = 0;
        for (int i = 0; i < spec_.points_per_limb; ++i) {
            const float way = static_cast<float>(i) / last;
            const int column = cell(from.x + way * dx, spec_.limb_width);
            const int row = cell(from.y + way * dy, spec_.limb_height);
            const std::size_t at = static_cast<std::size_t>(row) * spec_.limb_width + column;
            sum += (field[at] * dx + field[cells + at] * dy) / length;
        }
        return sum / static_cast<float>(spec_.points_per_limb) +
               spec_.length_penalty * std::min(longest_px_ / length - 1, 0.0F);
    }

    [[nodiscard]] int cell(float place, int size) const noexcept {
        const float nearest = std::nearbyint(place / spec_.limb_stride);
        return static_cast<int>(std::clamp(nearest, 0.0F, static_cast<float>(size - 1)));
    }

    void write(const DecodeAffine& affine, PoseView pose) noexcept {
        rank();
        for (int part = 0; part < spec_.bodyparts; ++part)
            for (int i = 0; i < counts_[part]; ++i) {
                const int node = part * spec_.most_peaks + i;
                if (animal_of_[node] < 0) continue;
                const int slot = ranks_[animal_of_[node]];
                if (slot < std::min(pose.individuals, spec_.individuals))
                    pose.at(slot, part) = on_sensor(peaks_[node], affine);
            }
    }

    // The slot of each animal in a pose; there are fewer animals than peaks.
    void rank() noexcept {
        std::iota(ranks_.begin(), ranks_.begin() + animals_, 0);
        if (animals_ <= spec_.individuals) return;
        for (int animal = 0; animal < animals_; ++animal) {
            const auto better = [&](int other) {
                return affinities_[other] > affinities_[animal] ||
                       (affinities_[other] == affinities_[animal] && other > animal);
            };
            ranks_[animal] = 0;
            for (int other = 0; other < animals_; ++other) ranks_[animal] += better(other) ? 1 : 0;
        }
    }

    PafTreeSpec spec_;
    float longest_px_ = 0;
    std::vector<Keypoint> peaks_;  // tensor px; bodypart p's from p * most_peaks on, counts_[p] of them
    std::vector<int> counts_;
    std::vector<int> animal_of_;  // by node, -1: none
    Assignment assignment_;
    std::vector<double> costs_;
    std::vector<int> partner_;
    std::vector<float> affinities_;  // by animal: sum over its limbs
    std::vector<int> ranks_;
    int animals_ = 0;
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

void check(const PafTreeSpec& spec) {
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

}  // namespace

std::unique_ptr<Decoder> make_paf_tree_decoder(const PafTreeSpec& spec) {
    check(spec);
    return std::make_unique<PafTreeDecoder>(spec);
}

}  // namespace fastpose
