// Bilinear demosaic of one row.
#pragma once
#include <cstdint>
#include <memory>

#include "base/cpu_features.h"
#include "preprocess/line_converter.h"

namespace fastpose {

inline constexpr float kBayerUnit = 0.25F;  // a sample is four times the grey level

// One row of the mosaic and its neighbours. `own` is red or blue, whichever this row has; `other` the other
// one.
struct BayerRow {
    const std::uint8_t* above = nullptr;
    const std::uint8_t* row = nullptr;
    const std::uint8_t* below = nullptr;
    int width = 0;                // px of the frame
    int own_parity = 0;           // column & 1 of the pixels that are not green
    std::int16_t* own = nullptr;  // planes, indexed from column `begin`
    std::int16_t* green = nullptr;
    std::int16_t* other = nullptr;
};

// The row with its planes moved on, so that `moved` columns later comes first.
[[nodiscard]] inline BayerRow from_column(BayerRow row, int moved) noexcept {
    row.own += moved;
    row.green += moved;
    row.other += moved;
    return row;
}

// Columns [begin, end).
using DemosaicRow = void (*)(const BayerRow& row, ColumnRange columns) noexcept;
void demosaic_row_scalar(const BayerRow& row, ColumnRange columns) noexcept;
void demosaic_row_avx2(const BayerRow& row, ColumnRange columns) noexcept;
void demosaic_row_avx512(const BayerRow& row, ColumnRange columns) noexcept;

[[nodiscard]] std::unique_ptr<LineConverter> make_bayer_converter(PixelFormat format, Isa isa);

}  // namespace fastpose
