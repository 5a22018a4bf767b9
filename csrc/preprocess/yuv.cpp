// Portable YUV conversion of a row, and the converter around it.
#include "preprocess/yuv.h"

#include <algorithm>

namespace fastpose {
namespace {

std::int16_t clamped(int sum) noexcept { return static_cast<std::int16_t>(std::clamp(sum, 0, yuv::white)); }

int rounded(int factor, int chroma) noexcept {
    return (factor * chroma + (1 << (yuv::chroma_shift - 1))) >> yuv::chroma_shift;
}

class YuvConverter final : public LineConverter {
  public:
    YuvConverter(PixelFormat format, ConvertYuvRow convert_row)
        : packed_(format == PixelFormat::yuyv), convert_row_(convert_row) {}

    void convert(const FrameView& frame, int y, ColumnRange columns,
                 const PlanarLine& line) noexcept override {
        const std::uint8_t* start = frame.data + y * frame.stride_bytes;
        YuvRow row{.luma = start + (packed_ ? 2 : 1) * columns.begin,
                   .chroma = nullptr,
                   .count = columns.end - columns.begin,
                   .packed = packed_};
        const std::uint8_t* chroma_plane = frame.data + frame.height * frame.stride_bytes;
        row.chroma = packed_ ? row.luma + 1 : chroma_plane + y / 2 * frame.stride_bytes + columns.begin;
        convert_row_(row, line);
    }

  private:
    bool packed_;
    ConvertYuvRow convert_row_;
};

}  // namespace

void yuv_to_rgb_scalar(const YuvRow& row, const PlanarLine& line) noexcept {
    const int luma_step = row.packed ? 2 : 1, chroma_step = row.packed ? 2 : 1;
    for (int i = 0; i < row.count; ++i) {
        const std::uint8_t* chroma = row.chroma + (i / 2) * 2 * chroma_step;
        const int y = yuv::luma * (row.luma[i * luma_step] - 16);
        const int u = chroma[0] - 128, v = chroma[chroma_step] - 128;
        line.channel[0][i] = clamped(y + rounded(yuv::red_v, v));
        line.channel[1][i] = clamped(y - rounded(yuv::green_u, u) - rounded(yuv::green_v, v));
        line.channel[2][i] = clamped(y + rounded(yuv::blue_u, u));
    }
}

void yuv_to_luma_scalar(const YuvRow& row, const PlanarLine& line) noexcept {
    const int luma_step = row.packed ? 2 : 1;
    for (int i = 0; i < row.count; ++i) {
        line.channel[0][i] = clamped(yuv::luma * (row.luma[i * luma_step] - 16));
    }
}

void convert_rest(const YuvRow& row, const PlanarLine& line, int done, ConvertYuvRow convert) noexcept {
    YuvRow rest = row;
    rest.luma += (row.packed ? 2 : 1) * done;
    rest.chroma += (row.packed ? 2 : 1) * done;
    rest.count -= done;
    PlanarLine moved = line;
    for (auto& channel : moved.channel) {
        if (channel != nullptr) channel += done;
    }
    convert(rest, moved);
}

std::unique_ptr<LineConverter> make_yuv_converter(PixelFormat format, InputColour colour, Isa isa) {
    const bool rgb = colour == InputColour::rgb;
    ConvertYuvRow convert = rgb ? yuv_to_rgb_scalar : yuv_to_luma_scalar;
#if FASTPOSE_X86
    if (isa == Isa::avx2) convert = rgb ? yuv_to_rgb_avx2 : yuv_to_luma_avx2;
    if (isa == Isa::avx512) convert = rgb ? yuv_to_rgb_avx512 : yuv_to_luma_avx512;
#endif
    static_cast<void>(isa);
    return std::make_unique<YuvConverter>(format, convert);
}

}  // namespace fastpose
