// Sub-cell position as the weighted mean of the cells around the maximum.
#include <array>

#include "base/check.h"
#include "decode/argmax.h"
#include "decode/keypoint.h"

namespace fastpose {
namespace {

class SoftWindowDecoder final : public Decoder {
  public:
    explicit SoftWindowDecoder(const SoftWindowSpec& spec)
        : spec_(spec),
          cells_(static_cast<std::size_t>(spec.map_height) * static_cast<std::size_t>(spec.map_width)),
          argmax_(argmax_for(best_isa())) {}

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
    [[nodiscard]] Keypoint keypoint(const float* map, const DecodeAffine& affine) const noexcept {
        const Peak peak = argmax_(map, cells_);
        if (!std::isfinite(peak.value) || peak.value < spec_.min_score) return kMissing;
        const int index = static_cast<int>(peak.index);
        const int row = index / spec_.map_width, column = index % spec_.map_width;
        const Keypoint place =
            refined_peak(map, {spec_.map_height, spec_.map_width}, row, column, spec_.size);
        if (!std::isfinite(place.x) || !std::isfinite(place.y)) return kMissing;
        return on_sensor({place.x * spec_.stride, place.y * spec_.stride, peak.value}, affine);
    }

    SoftWindowSpec spec_;
    std::size_t cells_;
    Argmax argmax_;
};

}  // namespace

bool is_local_peak(const float* map, MapSize map_size, int row, int column) noexcept {
    const auto at = [&](int r, int c) { return map[static_cast<std::ptrdiff_t>(r) * map_size.width + c]; };
    const float value = at(row, column);
    for (int r = std::max(row - 1, 0); r <= std::min(row + 1, map_size.height - 1); ++r)
        for (int c = std::max(column - 1, 0); c <= std::min(column + 1, map_size.width - 1); ++c) {
            const bool earlier = r < row || (r == row && c < column);
            if (at(r, c) > value || (earlier && at(r, c) == value)) return false;
        }
    return true;
}

Keypoint refined_peak(const float* map, MapSize map_size, int row, int column, int window) noexcept {
    const int reach = window / 2;
    double sum = 0, sum_x = 0, sum_y = 0;
    for (int r = std::max(row - reach, 0); r <= std::min(row + reach, map_size.height - 1); ++r)
        for (int c = std::max(column - reach, 0); c <= std::min(column + reach, map_size.width - 1); ++c) {
            const double value = map[static_cast<std::ptrdiff_t>(r) * map_size.width + c];
            sum += value;
            sum_x += value * (c - column);
            sum_y += value * (r - row);
        }
    return {static_cast<float>(column + sum_x / sum), static_cast<float>(row + sum_y / sum), 0};
}

std::unique_ptr<Decoder> make_soft_window_decoder(const SoftWindowSpec& spec) {
    require_at_least("decoder.bodyparts", spec.bodyparts, 1);
    require_at_least("decoder.map_height", spec.map_height, 1);
    require_at_least("decoder.map_width", spec.map_width, 1);
    require_above("decoder.stride", static_cast<double>(spec.stride), 0);
    require_at_least("soft.size", spec.size, 1);
    if (spec.size % 2 == 0)
        throw ConfigError("soft.size is " + std::to_string(spec.size) + "; allowed: an odd number of cells");
    return std::make_unique<SoftWindowDecoder>(spec);
}

}  // namespace fastpose
