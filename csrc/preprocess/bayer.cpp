// Portable demosaic of a row, and the converter around it.
#include "preprocess/bayer.h"

namespace fastpose {
namespace {

// Mirrored about the outermost pixel: -1 is 1, count is count - 2.
int mirrored(int index, int count) noexcept {
    if (index < 0) return -index;
    return index < count ? index : 2 * count - 2 - index;
}

class BayerConverter final : public LineConverter {
  public:
    BayerConverter(PixelFormat format, DemosaicRow demosaic)
        : red_row_(format == PixelFormat::bayer_rg8 || format == PixelFormat::bayer_gr8 ? 0 : 1),
          red_column_(format == PixelFormat::bayer_rg8 || format == PixelFormat::bayer_gb8 ? 0 : 1),
          demosaic_(demosaic) {}

    void convert(const FrameView& frame, int y, ColumnRange columns,
                 const PlanarLine& line) noexcept override {
        const bool red = (y & 1) == red_row_;
        const auto row_at = [&](int index) {
            return frame.data + mirrored(index, frame.height) * frame.stride_bytes;
        };
        const BayerRow row{.above = row_at(y - 1),
                           .row = row_at(y),
                           .below = row_at(y + 1),
                           .width = frame.width,
                           .own_parity = red ? red_column_ : 1 - red_column_,
                           .own = line.channel[red ? 0 : 2],
                           .green = line.channel[1],
                           .other = line.channel[red ? 2 : 0]};
        demosaic_(row, columns);
    }

  private:
    int red_row_, red_column_;  // y & 1 and x & 1 of the red pixels
    DemosaicRow demosaic_;
};

}  // namespace

void demosaic_row_scalar(const BayerRow& row, ColumnRange columns) noexcept {
    for (int x = columns.begin; x < columns.end; ++x) {
        const int left = mirrored(x - 1, row.width), right = mirrored(x + 1, row.width);
        const int vertical = row.above[x] + row.below[x], horizontal = row.row[left] + row.row[right];
        const int diagonal = row.above[left] + row.above[right] + row.below[left] + row.below[right];
        const int centre = 4 * row.row[x];
        const bool own = (x & 1) == row.own_parity;
        const int i = x - columns.begin;
        row.own[i] = static_cast<std::int16_t>(own ? centre : 2 * horizontal);
        row.green[i] = static_cast<std::int16_t>(own ? vertical + horizontal : centre);
        row.other[i] = static_cast<std::int16_t>(own ? diagonal : 2 * vertical);
    }
}

std::unique_ptr<LineConverter> make_bayer_converter(PixelFormat format, Isa isa) {
    DemosaicRow demosaic = demosaic_row_scalar;
#if FASTPOSE_X86
    if (isa == Isa::avx2) demosaic = demosaic_row_avx2;
    if (isa == Isa::avx512) demosaic = demosaic_row_avx512;
#endif
    static_cast<void>(isa);
    return std::make_unique<BayerConverter>(format, demosaic);
}

}  // namespace fastpose
