// The two AVX2 resamplers: for lines of one channel each, and for interleaved colours.
#pragma once
#include <memory>

#include "preprocess/row_resampler.h"

namespace fastpose::avx2 {

[[nodiscard]] std::unique_ptr<RowResampler> make_planar_resampler(const RowSpec& spec);
[[nodiscard]] std::unique_ptr<RowResampler> make_pixel_resampler(const RowSpec& spec);

}  // namespace fastpose::avx2
