// Pairs of each limb, animals along the tree, and which of them a pose has room for.
#include "decode/paf_tree_animals.h"

#include <algorithm>
#include <numeric>

#include "decode/keypoint.h"

namespace fastpose {

TreeField field_of(const PafTreeSpec& spec) {
    const int largest = std::max({2 * static_cast<int>(spec.limbs.size()), spec.limb_height,
                                  spec.limb_width});  // SLEAP counts the channels in
    const float longest_px = spec.length_ratio * static_cast<float>(largest) * spec.limb_stride;
    return {spec.limb_height,     spec.limb_width, spec.limb_stride,
            spec.points_per_limb, longest_px,      spec.length_penalty};
}

PafTreeAnimals::PafTreeAnimals(const PafTreeSpec& spec)
    : spec_(spec),
      peaks_(static_cast<std::size_t>(spec.bodyparts) * spec.most_peaks),
      counts_(spec.bodyparts),
      animal_of_(peaks_.size()),
      assignment_(spec.most_peaks),
      costs_(static_cast<std::size_t>(spec.most_peaks) * spec.most_peaks),
      partner_(spec.most_peaks),
      affinities_(peaks_.size()),
      ranks_(peaks_.size()) {}

void PafTreeAnimals::begin() noexcept {
    std::fill(animal_of_.begin(), animal_of_.end(), -1);
    animals_ = 0;
}

void PafTreeAnimals::walk(int limb, int rows, int columns) noexcept {
    const auto [from, to] = spec_.limbs[limb];
    assignment_.solve(costs_, rows, columns, partner_);
    for (int i = 0; i < rows; ++i) {
        if (partner_[i] < 0) continue;
        const auto found = static_cast<float>(-costs_[static_cast<std::size_t>(i) * columns + partner_[i]]);
        if (found >= spec_.min_affinity)
            link(from * spec_.most_peaks + i, to * spec_.most_peaks + partner_[i], found);
    }
}

void PafTreeAnimals::link(int from, int to, float affinity) noexcept {
    if (animal_of_[from] < 0) {
        affinities_[animals_] = 0;
        animal_of_[from] = animals_++;
    }
    animal_of_[to] = animal_of_[from];
    affinities_[animal_of_[from]] += affinity;
}

void PafTreeAnimals::finish(const DecodeAffine& affine, PoseView pose) noexcept {
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
void PafTreeAnimals::rank() noexcept {
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

}  // namespace fastpose
