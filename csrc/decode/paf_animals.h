// From the peaks of each bodypart to the animals of a pose: what is left once the maps were read.
#pragma once
#include <span>
#include <vector>

#include "decode/paf_assembler.h"
#include "decode/paf_decoder.h"
#include "decode/paf_links.h"

namespace fastpose {

// Thread-bound; allocates in the constructor only.
class PafAnimals {
  public:
    // The spec is checked by who has it.
    explicit PafAnimals(const PafDecoderSpec& spec);

    // Of a bodypart, highest first, and where they lie in tensor px: room for spec.individuals.
    [[nodiscard]] std::span<PafPeak> peaks_of(int part) noexcept { return of(peaks_, part); }
    [[nodiscard]] std::span<PafPlace> places_of(int part) noexcept { return of(places_, part); }
    void set_count(int part, int count) noexcept { counts_[part] = count; }

    // Fills the pose, which is missing before; affinity: as PafLinks::run.
    template <class Affinity>
    void write(const DecodeAffine& affine, PoseView pose, Affinity affinity) noexcept {
        if (spec_.bodyparts == 1) return write_peaks(affine, pose);
        if (spec_.individuals == 1) return write_highest(affine, pose);
        write_animals(links_.run(peaks_, counts_, affinity), affine, pose);
    }

  private:
    template <class Of>
    [[nodiscard]] std::span<Of> of(std::vector<Of>& all, int part) noexcept {
        return std::span(all).subspan(static_cast<std::size_t>(part) * spec_.individuals, spec_.individuals);
    }
    [[nodiscard]] Keypoint keypoint(int node, const DecodeAffine& affine) const noexcept;
    void write_animals(std::span<const PafLink> links, const DecodeAffine& affine, PoseView pose) noexcept;
    void write_peaks(const DecodeAffine& affine, PoseView pose) noexcept;
    void write_highest(const DecodeAffine& affine, PoseView pose) noexcept;

    PafDecoderSpec spec_;
    PafLinks links_;
    PafAssembler assembler_;
    std::vector<PafPeak> peaks_;
    std::vector<int> counts_;
    std::vector<PafPlace> places_;
};

}  // namespace fastpose
