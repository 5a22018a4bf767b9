// What is planned before the first frame, the same for the CPU and the GPU.
#pragma once
#include "preprocess/line_source.h"
#include "preprocess/preprocess.h"
#include "preprocess/row_resampler.h"

namespace fastpose {

// With the image size filled in. Throws ConfigError as make_preprocessor does.
[[nodiscard]] PreprocessSpec completed(const PreprocessSpec& asked);
// Columns, colours and factors of a completed spec, for samples that lie like this.
[[nodiscard]] RowSpec make_row_spec(const PreprocessSpec& spec, const LineLayout& layout);
// Moves the roi there, or as near as the frame allows.
void put_roi(PreprocessSpec& spec, int x, int y) noexcept;
[[nodiscard]] TensorToSensor way_back(const PreprocessSpec& spec) noexcept;

}  // namespace fastpose
