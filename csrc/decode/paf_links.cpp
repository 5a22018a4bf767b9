// Pairs the peaks of the two bodyparts of each limb.
#include "decode/paf_links.h"

#include <cstddef>

namespace fastpose {

PafLinks::PafLinks(const PafLinksSpec& spec, PafAffinity affinity)
    : spec_(spec),
      affinity_(std::move(affinity)),
      assignment_(spec.individuals),
      costs_(static_cast<std::size_t>(spec.individuals) * spec.individuals),
      partner_(spec.individuals) {
    links_.reserve(spec.limbs.size() * spec.individuals);
}

std::span<const PafLink> PafLinks::run(std::span<const PafPeak> peaks, std::span<const int> counts,
                                       const float* fields, std::size_t cells) noexcept {
    links_.clear();
    for (std::size_t limb = 0; limb < spec_.limbs.size(); ++limb) {
        const auto [a, b] = spec_.limbs[limb];
        const std::array<int, 2> first_nodes{a * spec_.individuals, b * spec_.individuals};
        const auto from = peaks.subspan(first_nodes[0]), to = peaks.subspan(first_nodes[1]);
        pair(from.first(usable(from, counts[a])), to.first(usable(to, counts[b])), fields + 2 * limb * cells,
             first_nodes);
    }
    return links_;
}

int PafLinks::usable(std::span<const PafPeak> peaks, int count) const noexcept {
    while (count > 0 && !(peaks[count - 1].score >= spec_.min_likelihood)) --count;
    return count;
}

void PafLinks::pair(std::span<const PafPeak> from, std::span<const PafPeak> to, const float* field,
                    std::array<int, 2> first_nodes) noexcept {
    for (std::size_t i = 0; i < from.size(); ++i)
        for (std::size_t j = 0; j < to.size(); ++j)
            costs_[i * to.size() + j] = -static_cast<double>(affinity_(field, from[i], to[j]));
    const int rows = static_cast<int>(from.size()), columns = static_cast<int>(to.size());
    assignment_.solve(costs_, rows, columns, partner_);
    for (int i = 0; i < rows; ++i) {
        if (partner_[i] < 0) continue;
        const auto affinity = static_cast<float>(-costs_[i * to.size() + partner_[i]]);
        if (affinity >= spec_.min_affinity)
            links_.push_back({first_nodes[0] + i, first_nodes[1] + partner_[i], affinity});
    }
}

}  // namespace fastpose
