// From the peaks of each bodypart to animals along a tree of limbs: what is left once the maps were read.
#pragma once
#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

#include "base/assignment.h"
#include "decode/limb_affinity.h"
#include "decode/paf_tree_decoder.h"

namespace fastpose {

// What a line between two peaks is read from.
[[nodiscard]] TreeField field_of(const PafTreeSpec& spec);

// Thread-bound; allocates in the constructor only.
class PafTreeAnimals {
  public:
    // The spec is checked by who has it.
    explicit PafTreeAnimals(const PafTreeSpec& spec);

    // Of a bodypart, in row-major order, in tensor px: room for spec.most_peaks. set_count(): how many there
    // are.
    [[nodiscard]] std::span<Keypoint> room_of(int part) noexcept {
        return std::span(peaks_).subspan(static_cast<std::size_t>(part) * spec_.most_peaks, spec_.most_peaks);
    }
    [[nodiscard]] std::span<Keypoint> peaks_of(int part) noexcept {
        return room_of(part).first(counts_[part]);
    }
    void set_count(int part, int count) noexcept { counts_[part] = count; }

    // Fills the pose, which is missing before. affinity(limb, i, j): of the i-th peak of the limb's `from`
    // and the j-th of its `to`; what is not finite is never paired.
    template <class Affinity>
    void write(const DecodeAffine& affine, PoseView pose, Affinity affinity) noexcept {
        begin();
        for (const int limb : spec_.order) {
            const auto [from, to] = spec_.limbs[limb];
            const int rows = counts_[from], columns = counts_[to];
            if (rows == 0 || columns == 0) continue;
            for (int i = 0; i < rows; ++i)
                for (int j = 0; j < columns; ++j)
                    costs_[static_cast<std::size_t>(i) * columns + j] = cost_of(affinity(limb, i, j));
            walk(limb, rows, columns);
        }
        finish(affine, pose);
    }

  private:
    [[nodiscard]] static double cost_of(float affinity) noexcept {
        return std::isfinite(affinity) ? -static_cast<double>(affinity) : never;
    }
    void begin() noexcept;
    void walk(int limb, int rows, int columns) noexcept;
    void link(int from, int to, float affinity) noexcept;
    void rank() noexcept;
    void finish(const DecodeAffine& affine, PoseView pose) noexcept;

    static constexpr double never = 1e6;  // cost of a pair whose affinity is no number

    PafTreeSpec spec_;
    std::vector<Keypoint> peaks_;
    std::vector<int> counts_;
    std::vector<int> animal_of_;  // by node, which is the index of a peak among all; -1: none
    Assignment assignment_;
    std::vector<double> costs_;
    std::vector<int> partner_;
    std::vector<float> affinities_;  // by animal: sum over its limbs
    std::vector<int> ranks_;
    int animals_ = 0;
};

}  // namespace fastpose
