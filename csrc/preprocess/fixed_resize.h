// Resize of 8-bit frames that gives, bit for bit, what OpenCV's resize with INTER_LINEAR gives: the pixels
// that networks behind other tools have seen. The loop itself resamples in float (preprocess.h).
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

namespace fastpose {

struct FixedResizeSpec {
    int input_width = 0, input_height = 0;    // px
    int output_width = 0, output_height = 0;  // px
    int channels = 1;                         // samples of a pixel, side by side
};

// Two taps of one output position: indices of the input and their weights, which add up to about 2048.
struct FixedTap {
    int first = 0, second = 0;
    int first_weight = 0, second_weight = 0;
};

// Bilinear, half-pixel centres, weights of 11 bits; a shrink to exactly one half is the rounded mean of four
// pixels. Planned once, executed without allocation. Thread-bound.
class FixedResize {
  public:
    // Throws ConfigError for sizes or channels that are not positive.
    explicit FixedResize(const FixedResizeSpec& spec);
    // input: rows `input_stride` bytes apart, pixels dense; output: dense rows, the caller's memory.
    void run(const std::uint8_t* input, std::ptrdiff_t input_stride, std::uint8_t* output) noexcept;

  private:
    void halve(const std::uint8_t* input, std::ptrdiff_t stride, std::uint8_t* output) const noexcept;
    void interpolate(const std::uint8_t* input, std::ptrdiff_t stride, std::uint8_t* output) noexcept;
    const int* row_at(const std::uint8_t* input, std::ptrdiff_t stride, int row) noexcept;

    FixedResizeSpec spec_;
    std::vector<FixedTap> columns_, rows_;
    std::vector<int> lines_[2];   // two input rows, already interpolated along x
    int line_row_[2] = {-1, -1};  // which rows they are
    int next_line_ = 0;           // the one to overwrite
};

}  // namespace fastpose
