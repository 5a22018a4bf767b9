// Each decoder fills a pose of its own; their keypoints are then put into the one that holds both.
#include "decode/unique_decoder.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/check.h"
#include "decode/keypoint.h"

namespace fastpose {
namespace {

class UniqueDecoder final : public Decoder {
  public:
    UniqueDecoder(std::shared_ptr<Decoder> animals, std::shared_ptr<Decoder> unique,
                  const UniqueDecoderSpec& spec)
        : spec_(spec),
          animals_(std::move(animals)),
          unique_(std::move(unique)),
          of_animals_(static_cast<std::size_t>(rows()) * columns()),
          of_single_(spec.unique_bodyparts) {}

    void run(std::span<const TensorView> outputs, const DecodeAffine& affine,
             PoseView pose) noexcept override {
        std::fill_n(pose.keypoints, pose.size(), kMissing);
        if (pose.individuals != spec_.individuals || pose.bodyparts != spec_.bodyparts) return;
        const auto of_animals = static_cast<std::size_t>(spec_.animal_outputs);
        if (outputs.size() <= of_animals) return;
        animals_->run(outputs.first(of_animals), affine, {of_animals_.data(), rows(), columns()});
        unique_->run(outputs.subspan(of_animals), affine, {of_single_.data(), 1, spec_.unique_bodyparts});
        for (int row = 0; row < rows(); ++row)
            std::copy_n(&of_animals_[static_cast<std::size_t>(row) * columns()], columns(), &pose.at(row, 0));
        std::copy(of_single_.begin(), of_single_.end(), &pose.at(rows(), columns()));
    }

  private:
    [[nodiscard]] int rows() const noexcept { return spec_.individuals - 1; }
    [[nodiscard]] int columns() const noexcept { return spec_.bodyparts - spec_.unique_bodyparts; }

    UniqueDecoderSpec spec_;
    std::shared_ptr<Decoder> animals_, unique_;
    std::vector<Keypoint> of_animals_, of_single_;
};

}  // namespace

std::unique_ptr<Decoder> make_unique_decoder(std::shared_ptr<Decoder> animals,
                                             std::shared_ptr<Decoder> unique, const UniqueDecoderSpec& spec) {
    if (!animals || !unique)
        throw ConfigError("a decoder is not given; allowed: of the animals, and of the unique body parts");
    require_at_least("decoder.individuals", spec.individuals, 2);
    require_at_least("decoder.bodyparts", spec.bodyparts, 2);
    require_between("decoder.unique_bodyparts", spec.unique_bodyparts, 1, spec.bodyparts - 1);
    require_at_least("decoder.animal_outputs", spec.animal_outputs, 1);
    return std::make_unique<UniqueDecoder>(std::move(animals), std::move(unique), spec);
}

}  // namespace fastpose
