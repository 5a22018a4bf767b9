// Pairs the peaks of the two bodyparts of each limb.
#include "decode/paf_links.h"

#include <cstddef>

namespace fastpose {

PafLinks::PafLinks(const PafLinksSpec& spec)
    : spec_(spec),
      assignment_(spec.individuals),
      costs_(static_cast<std::size_t>(spec.individuals) * spec.individuals),
      partner_(spec.individuals) {
    links_.reserve(spec.limbs.size() * spec.individuals);
}

int PafLinks::usable(std::span<const PafPeak> peaks, int part, int count) const noexcept {
    const auto of_part = peaks.subspan(static_cast<std::size_t>(part) * spec_.individuals);
    while (count > 0 && !(of_part[count - 1].score >= spec_.min_likelihood)) --count;
    return count;
}

void PafLinks::pair(std::size_t limb, int rows, int columns) noexcept {
    const auto [a, b] = spec_.limbs[limb];
    assignment_.solve(costs_, rows, columns, partner_);
    for (int i = 0; i < rows; ++i) {
        if (partner_[i] < 0) continue;
        const auto affinity =
            static_cast<float>(-costs_[static_cast<std::size_t>(i) * columns + partner_[i]]);
        if (affinity >= spec_.min_affinity)
            links_.push_back({a * spec_.individuals + i, b * spec_.individuals + partner_[i], affinity});
    }
}

}  // namespace fastpose
