// Pairs the peaks of the two bodyparts of each limb.
#pragma once
#include <array>
#include <span>
#include <vector>

#include "base/assignment.h"
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
    explicit PafLinks(const PafLinksSpec& spec);

    // peaks: bodypart p's, highest first, from p * individuals on, counts[p] of them. affinity(limb, i, j):
    // of the i-th peak of the limb's first bodypart and the j-th of its second; not negative.
    template <class Affinity>
    [[nodiscard]] std::span<const PafLink> run(std::span<const PafPeak> peaks, std::span<const int> counts,
                                               Affinity affinity) noexcept {
        links_.clear();
        for (std::size_t limb = 0; limb < spec_.limbs.size(); ++limb) {
            const auto [a, b] = spec_.limbs[limb];
            const int rows = usable(peaks, a, counts[a]), columns = usable(peaks, b, counts[b]);
            for (int i = 0; i < rows; ++i)
                for (int j = 0; j < columns; ++j)
                    costs_[static_cast<std::size_t>(i) * columns + j] =
                        -static_cast<double>(affinity(limb, i, j));
            pair(limb, rows, columns);
        }
        return links_;
    }

  private:
    [[nodiscard]] int usable(std::span<const PafPeak> peaks, int part, int count) const noexcept;
    void pair(std::size_t limb, int rows, int columns) noexcept;

    PafLinksSpec spec_;
    Assignment assignment_;
    std::vector<double> costs_;
    std::vector<int> partner_;
    std::vector<PafLink> links_;
};

}  // namespace fastpose
