// Pairs the peaks of the two bodyparts of each limb.
#pragma once
#include <array>
#include <span>
#include <vector>

#include "base/assignment.h"
#include "decode/paf_affinity.h"
#include "decode/paf_assembler.h"
#include "decode/paf_peaks.h"

namespace fastpose {

struct PafLinksSpec {
    std::vector<std::array<int, 2>> limbs{};  // bodyparts
    int individuals = 0;
    float min_likelihood = 0.1F;  // of either peak
    float min_affinity = 0.05F;
};

// For each limb the pairing with the largest sum of affinities. Thread-bound; allocates in the constructor
// only.
class PafLinks {
  public:
    PafLinks(const PafLinksSpec& spec, PafAffinity affinity);

    // peaks: bodypart p's, highest first, from p * individuals on, counts[p] of them; fields: (2 limbs, h,
    // w).
    [[nodiscard]] std::span<const PafLink> run(std::span<const PafPeak> peaks, std::span<const int> counts,
                                               const float* fields, std::size_t cells) noexcept;

  private:
    [[nodiscard]] int usable(std::span<const PafPeak> peaks, int count) const noexcept;
    void pair(std::span<const PafPeak> from, std::span<const PafPeak> to, const float* field,
              std::array<int, 2> first_nodes) noexcept;

    PafLinksSpec spec_;
    PafAffinity affinity_;
    Assignment assignment_;
    std::vector<double> costs_;
    std::vector<int> partner_;
    std::vector<PafLink> links_;
};

}  // namespace fastpose
