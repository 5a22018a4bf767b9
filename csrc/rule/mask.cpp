// Mask zones: pixels of an image, with the distance of each to the border worked out beforehand.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <string>

#include "base/check.h"
#include "rule/zone.h"

namespace fastpose {
namespace {

constexpr double unreached = 1e20;

// Squared distance of every cell of a line to the lowest parabola over it: Felzenszwalb and Huttenlocher,
// "Distance transforms of sampled functions", Theory of Computing 8, 2012.
class LineTransform {
  public:
    explicit LineTransform(std::size_t longest) : vertex_(longest), from_(longest + 1), line_(longest) {}

    // In place, over `count` values that are `stride` apart.
    void run(double* values, std::size_t count, std::size_t stride) {
        for (std::size_t i = 0; i < count; ++i) line_[i] = values[i * stride];
        find_envelope(count);
        std::size_t k = 0;
        for (std::size_t i = 0; i < count; ++i) {
            while (from_[k + 1] < static_cast<double>(i)) ++k;
            const double away = static_cast<double>(i) - static_cast<double>(vertex_[k]);
            values[i * stride] = std::min(unreached, away * away + line_[vertex_[k]]);
        }
    }

  private:
    void find_envelope(std::size_t count) {
        std::size_t k = 0;
        vertex_[0] = 0;
        from_[0] = -std::numeric_limits<double>::infinity();
        from_[1] = std::numeric_limits<double>::infinity();
        for (std::size_t i = 1; i < count; ++i) {
            double meets = crossing(i, vertex_[k]);
            while (meets <= from_[k]) meets = crossing(i, vertex_[--k]);
            vertex_[++k] = i;
            from_[k] = meets;
            from_[k + 1] = std::numeric_limits<double>::infinity();
        }
    }

    [[nodiscard]] double crossing(std::size_t i, std::size_t j) const {
        const double x = static_cast<double>(i), y = static_cast<double>(j);
        return ((line_[i] + x * x) - (line_[j] + y * y)) / (2 * x - 2 * y);
    }

    std::vector<std::size_t> vertex_;
    std::vector<double> from_, line_;
};

// Distance of each pixel's centre to the nearest centre of a pixel that is (`of`) or is not in the mask.
std::vector<double> distances_to(std::span<const std::uint8_t> pixels, std::size_t width, std::size_t height,
                                 bool of) {
    std::vector<double> field(pixels.size());
    std::transform(pixels.begin(), pixels.end(), field.begin(),
                   [of](std::uint8_t pixel) { return (pixel != 0) == of ? 0.0 : unreached; });
    LineTransform transform(std::max(width, height));
    for (std::size_t x = 0; x < width; ++x) transform.run(&field[x], height, width);
    for (std::size_t y = 0; y < height; ++y) transform.run(&field[y * width], width, 1);
    for (double& value : field) value = std::sqrt(value);
    return field;
}

class Mask final : public Zone {
  public:
    Mask(std::span<const std::uint8_t> pixels, int width, int height) : width_(width), height_(height) {
        const auto columns = static_cast<std::size_t>(width), rows = static_cast<std::size_t>(height);
        const std::vector<double> to_mask = distances_to(pixels, columns, rows, true);
        const std::vector<double> to_rest = distances_to(pixels, columns, rows, false);
        for (std::size_t i = 0; i < pixels.size(); ++i) {
            const double away = pixels[i] != 0 ? 0.5 - to_rest[i] : to_mask[i] - 0.5;
            distances_.push_back(static_cast<float>(away));
        }
    }

    double signed_distance(double x, double y) const noexcept override {
        const auto column = nearest(x, width_), row = nearest(y, height_);
        return distances_[row * static_cast<std::size_t>(width_) + column];
    }

  private:
    static std::size_t nearest(double at, int count) noexcept {
        return static_cast<std::size_t>(std::lround(std::clamp(at, 0.0, static_cast<double>(count - 1))));
    }

    int width_, height_;
    std::vector<float> distances_;
};

}  // namespace

std::shared_ptr<const Zone> make_mask(std::span<const std::uint8_t> pixels, int width, int height) {
    require_between("mask width", width, 1, 16384);
    require_between("mask height", height, 1, 16384);
    if (pixels.size() != static_cast<std::size_t>(width) * static_cast<std::size_t>(height))
        throw ConfigError("mask has " + std::to_string(pixels.size()) + " pixels; allowed: width x height");
    const auto count = std::count_if(pixels.begin(), pixels.end(), [](auto pixel) { return pixel != 0; });
    if (count == 0 || count == static_cast<std::ptrdiff_t>(pixels.size()))
        throw ConfigError("mask has " + std::string(count == 0 ? "no pixel" : "every pixel") +
                          " in it; allowed: some of them");
    return std::make_shared<Mask>(pixels, width, height);
}

}  // namespace fastpose
