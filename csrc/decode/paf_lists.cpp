// Reads the lists into the room for peaks, and looks affinities up.
#include "decode/paf_lists.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "decode/keypoint.h"
#include "decode/paf_animals.h"
#include "decode/paf_tree_animals.h"

namespace fastpose {
namespace {

// The lists of one image.
class Lists {
  public:
    Lists(int bodyparts, int limbs, int most) : bodyparts_(bodyparts), limbs_(limbs), most_(most) {}

    [[nodiscard]] bool fit(std::span<const TensorView> outputs) const noexcept {
        using Shape = std::array<int, 4>;
        return outputs.size() == 2 && outputs[0].shape == Shape{1, bodyparts_, most_, 4} &&
               outputs[1].shape == Shape{1, limbs_, most_, most_};
    }
    void read(std::span<const TensorView> outputs) noexcept {
        peaks_ = outputs[0].data;
        affinities_ = outputs[1].data;
    }
    [[nodiscard]] PeakEntry peak(int part, int rank) const noexcept {
        const float* entry = peaks_ + 4 * (static_cast<std::size_t>(part) * most_ + rank);
        return {entry[0], entry[1], entry[2], entry[3]};
    }
    // How many there are: they come first.
    [[nodiscard]] int count(int part) const noexcept {
        int count = 0;
        while (count < most_ && peak(part, count).cell >= 0) ++count;
        return count;
    }
    [[nodiscard]] float affinity(std::size_t limb, int i, int j) const noexcept {
        return affinities_[(limb * most_ + static_cast<std::size_t>(i)) * most_ +
                           static_cast<std::size_t>(j)];
    }

  private:
    int bodyparts_, limbs_, most_;
    const float *peaks_ = nullptr, *affinities_ = nullptr;
};

class PafListsDecoder final : public Decoder {
  public:
    explicit PafListsDecoder(const PafDecoderSpec& spec)
        : spec_(spec),
          lists_(spec.bodyparts, static_cast<int>(spec.limbs.size()), spec.individuals),
          animals_(spec) {}

    void run(std::span<const TensorView> outputs, const DecodeAffine& affine,
             PoseView pose) noexcept override {
        std::fill_n(pose.keypoints, pose.size(), kMissing);
        if (!lists_.fit(outputs) || pose.bodyparts != spec_.bodyparts) return;
        lists_.read(outputs);
        for (int part = 0; part < spec_.bodyparts; ++part) take(part);
        animals_.write(affine, pose,
                       [&](std::size_t limb, int i, int j) { return lists_.affinity(limb, i, j); });
    }

  private:
    void take(int part) noexcept {
        const int count = lists_.count(part);
        for (int i = 0; i < count; ++i) {
            const PeakEntry entry = lists_.peak(part, i);
            const int cell = static_cast<int>(entry.cell);
            animals_.peaks_of(part)[i] = {cell / spec_.map_width, cell % spec_.map_width, entry.score};
            animals_.places_of(part)[i] = {entry.x, entry.y};
        }
        animals_.set_count(part, count);
    }

    PafDecoderSpec spec_;
    Lists lists_;
    PafAnimals animals_;
};

class PafTreeListsDecoder final : public Decoder {
  public:
    explicit PafTreeListsDecoder(const PafTreeSpec& spec)
        : spec_(spec),
          lists_(spec.bodyparts, static_cast<int>(spec.limbs.size()), spec.most_peaks),
          animals_(spec),
          ranks_(static_cast<std::size_t>(spec.bodyparts) * spec.most_peaks) {}

    void run(std::span<const TensorView> outputs, const DecodeAffine& affine,
             PoseView pose) noexcept override {
        std::fill_n(pose.keypoints, pose.size(), kMissing);
        if (!lists_.fit(outputs) || pose.bodyparts != spec_.bodyparts) return;
        lists_.read(outputs);
        for (int part = 0; part < spec_.bodyparts; ++part) take(part);
        animals_.write(affine, pose, [&](int limb, int i, int j) {
            const auto [from, to] = spec_.limbs[limb];
            return lists_.affinity(static_cast<std::size_t>(limb), rank(from, i), rank(to, j));
        });
    }

  private:
    [[nodiscard]] int& rank(int part, int i) noexcept {
        return ranks_[static_cast<std::size_t>(part) * spec_.most_peaks + i];
    }

    // In row-major order, as the decoder of maps has them.
    void take(int part) noexcept {
        const int count = lists_.count(part);
        const auto begin = ranks_.begin() + static_cast<std::ptrdiff_t>(part) * spec_.most_peaks;
        std::iota(begin, begin + count, 0);
        std::sort(begin, begin + count,
                  [&](int a, int b) { return lists_.peak(part, a).cell < lists_.peak(part, b).cell; });
        for (int i = 0; i < count; ++i) {
            const PeakEntry entry = lists_.peak(part, rank(part, i));
            animals_.room_of(part)[i] = {entry.x, entry.y, entry.score};
        }
        animals_.set_count(part, count);
    }

    PafTreeSpec spec_;
    Lists lists_;
    PafTreeAnimals animals_;
    std::vector<int> ranks_;  // in the lists, of the peaks in row-major order
};

}  // namespace

std::unique_ptr<Decoder> make_paf_lists_decoder(const PafDecoderSpec& spec) {
    check_paf(spec);
    return std::make_unique<PafListsDecoder>(spec);
}

std::unique_ptr<Decoder> make_paf_tree_lists_decoder(const PafTreeSpec& spec) {
    check_paf_tree(spec);
    return std::make_unique<PafTreeListsDecoder>(spec);
}

}  // namespace fastpose
