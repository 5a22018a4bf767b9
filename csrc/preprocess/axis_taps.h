// Weights of a resize along one axis, planned anew for each crop without allocation.
#pragma once
#include <cstddef>
#include <vector>

namespace fastpose {

// Output sample i is the sum over j of weight(i)[j] * source[first(i) + j], j < count(i).
class AxisTaps {
  public:
    // Room for resizes from up to `longest_source` samples to `output`.
    AxisTaps(int longest_source, int output);

    // Triangle filter with half-pixel centres, cut off at the ends and normalised to a sum of one. With
    // antialias its half width is source / output samples where that is more than one, else one.
    void plan(int source, bool antialias) noexcept;

    [[nodiscard]] int output() const noexcept { return static_cast<int>(spans_.size()); }
    [[nodiscard]] int first(int i) const noexcept { return spans_[static_cast<std::size_t>(i)].first; }
    [[nodiscard]] int count(int i) const noexcept { return spans_[static_cast<std::size_t>(i)].count; }
    [[nodiscard]] const float* weights(int i) const noexcept {
        return weights_.data() + spans_[static_cast<std::size_t>(i)].begin;
    }

  private:
    struct Span {
        int first = 0, count = 0;
        std::size_t begin = 0;
    };
    void weigh(Span& span, float centre, float width) noexcept;

    std::vector<Span> spans_;
    std::vector<float> weights_;
};

}  // namespace fastpose
