// Animals of one bodypart, one animal, or animals that are put together.
#include "decode/paf_animals.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "decode/keypoint.h"

namespace fastpose {

PafAnimals::PafAnimals(const PafDecoderSpec& spec)
    : spec_(spec),
      links_({spec.limbs, spec.individuals, spec.min_likelihood, spec.min_affinity}),
      assembler_(spec.individuals, spec.bodyparts, static_cast<int>(spec.limbs.size()) * spec.individuals),
      peaks_(static_cast<std::size_t>(spec.bodyparts) * spec.individuals),
      counts_(spec.bodyparts),
      places_(peaks_.size()) {}

void PafAnimals::write_animals(std::span<const PafLink> links, const DecodeAffine& affine,
                               PoseView pose) noexcept {
    const int animals = std::min(assembler_.run(links, places_), pose.individuals);
    for (int animal = 0; animal < animals; ++animal)
        for (int part = 0; part < spec_.bodyparts; ++part)
            if (const int node = assembler_.node(animal, part); node >= 0)
                pose.at(animal, part) = keypoint(node, affine);
}

Keypoint PafAnimals::keypoint(int node, const DecodeAffine& affine) const noexcept {
    const PafPlace& place = places_[node];
    if (!std::isfinite(place.x) || !std::isfinite(place.y)) return kMissing;
    const float score = peaks_[node].score;
    const bool clips = spec_.activation == ScoreActivation::clip;
    return on_sensor({place.x, place.y, clips ? std::clamp(score, 0.0F, 1.0F) : score}, affine);
}

// Each peak is an animal, in row-major order.
void PafAnimals::write_peaks(const DecodeAffine& affine, PoseView pose) noexcept {
    std::array<int, 256> nodes{};
    const int count = std::min({counts_[0], pose.individuals, static_cast<int>(nodes.size())});
    for (int i = 0; i < count; ++i) nodes[i] = i;
    std::sort(nodes.begin(), nodes.begin() + count, [&](int a, int b) {
        return std::pair(peaks_[a].row, peaks_[a].column) < std::pair(peaks_[b].row, peaks_[b].column);
    });
    int animal = 0;
    for (int i = 0; i < count; ++i)
        if (peaks_[nodes[i]].score >= spec_.min_likelihood) pose.at(animal++, 0) = keypoint(nodes[i], affine);
}

// One animal: the highest peak of each bodypart.
void PafAnimals::write_highest(const DecodeAffine& affine, PoseView pose) noexcept {
    for (int part = 0; part < spec_.bodyparts; ++part)
        if (counts_[part] > 0) pose.at(0, part) = keypoint(part, affine);
}

}  // namespace fastpose
