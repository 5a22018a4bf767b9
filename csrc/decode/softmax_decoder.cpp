// Sub-cell position as the mean under a softmax of the whole, enlarged map.
#include <array>

#include "base/check.h"
#include "decode/keypoint.h"
#include "decode/map_upsampling.h"

namespace fastpose {
namespace {

constexpr float kNegligible = 30;  // exp(-30) of the maximum is nothing beside it, even a million times

class SoftmaxDecoder final : public Decoder {
  public:
    explicit SoftmaxDecoder(const SoftmaxSpec& spec)
        : spec_(spec),
          cells_(static_cast<std::size_t>(spec.map_height) * static_cast<std::size_t>(spec.map_width)),
          upsampling_(spec.map_height, spec.map_width, spec.upsampling) {}

    void run(std::span<const TensorView> outputs, const DecodeAffine& affine,
             PoseView pose) noexcept override {
        std::fill_n(pose.keypoints, pose.size(), kMissing);
        using Shape = std::array<int, 4>;
        const Shape shape{1, spec_.bodyparts, spec_.map_height, spec_.map_width};
        if (outputs.empty() || outputs[0].shape != shape || pose.individuals < 1) return;
        for (int k = 0; k < std::min(spec_.bodyparts, pose.bodyparts); ++k)
            pose.at(0, k) = keypoint(outputs[0].data + static_cast<std::size_t>(k) * cells_, affine);
    }

  private:
    struct Sums {
        double all = 0, x = 0, y = 0;
    };

    [[nodiscard]] Keypoint keypoint(const float* cells, const DecodeAffine& affine) noexcept {
        if (!std::all_of(cells, cells + cells_, [](float cell) { return std::isfinite(cell); }))
            return kMissing;
        const float* map = upsampling_.run(cells);
        const float maximum = *std::max_element(map, map + height() * width());
        const Sums sums = sums_of(map, maximum);
        const double x = sums.x / sums.all, y = sums.y / sums.all;
        const double scale = static_cast<double>(spec_.stride) / (1 << spec_.upsampling);
        const double likelihood =
            mass_around(map, maximum, static_cast<int>(x), static_cast<int>(y)) / sums.all;
        return on_sensor({static_cast<float>((x - spec_.shift) * scale),
                          static_cast<float>((y - spec_.shift) * scale), static_cast<float>(likelihood)},
                         affine);
    }

    [[nodiscard]] std::ptrdiff_t width() const noexcept { return upsampling_.output_width(); }
    [[nodiscard]] std::ptrdiff_t height() const noexcept { return upsampling_.output_height(); }

    // Of the softmax, relative to its maximum; negligible ones are 0.
    [[nodiscard]] double weight(float value, float maximum) const noexcept {
        const float below = spec_.temperature * (maximum - value);
        return below > kNegligible ? 0.0 : std::exp(-static_cast<double>(below));
    }

    [[nodiscard]] Sums sums_of(const float* map, float maximum) const noexcept {
        Sums sums;
        for (std::ptrdiff_t row = 0; row < height(); ++row)
            for (std::ptrdiff_t column = 0; column < width(); ++column) {
                const double w = weight(map[row * width() + column], maximum);
                sums.all += w;
                sums.x += w * static_cast<double>(column);
                sums.y += w * static_cast<double>(row);
            }
        return sums;
    }

    [[nodiscard]] double mass_around(const float* map, float maximum, int x, int y) const noexcept {
        double mass = 0;
        const int last_row = static_cast<int>(height()) - 1, last_column = static_cast<int>(width()) - 1;
        for (int r = std::max(y - spec_.radius, 0); r <= std::min(y + spec_.radius, last_row); ++r)
            for (int c = std::max(x - spec_.radius, 0); c <= std::min(x + spec_.radius, last_column); ++c)
                mass += weight(map[r * width() + c], maximum);
        return mass;
    }

    SoftmaxSpec spec_;
    std::size_t cells_;
    MapUpsampling upsampling_;
};

}  // namespace

std::unique_ptr<Decoder> make_softmax_decoder(const SoftmaxSpec& spec) {
    require_at_least("decoder.bodyparts", spec.bodyparts, 1);
    require_at_least("decoder.map_height", spec.map_height, 1);
    require_at_least("decoder.map_width", spec.map_width, 1);
    require_above("decoder.stride", static_cast<double>(spec.stride), 0);
    require_between("soft.upsampling", spec.upsampling, 0, 4);
    require_above("soft.temperature", static_cast<double>(spec.temperature), 0);
    require_at_least("soft.radius", spec.radius, 0);
    return std::make_unique<SoftmaxDecoder>(spec);
}

}  // namespace fastpose
