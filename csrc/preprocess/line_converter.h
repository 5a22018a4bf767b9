// Bayer and YUV rows to planar 16-bit lines, one row at a time.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/cpu_features.h"
#include "frame/frame.h"
#include "preprocess/preprocess.h"

namespace fastpose {

// Columns [begin, end) of a frame row; the planes hold column `begin` first.
struct ColumnRange {
    int begin = 0, end = 0;
};

struct PlanarLine {
    std::int16_t* channel[3] = {nullptr, nullptr, nullptr};  // R, G, B; or luma alone
};

// Bayer: bilinear demosaic. A pixel's missing colours are the mean of the two or four neighbours that have
// them; beyond the frame (not the roi) the mosaic is mirrored about its outermost pixels, which keeps its
// colours in phase. Samples are in quarters of a grey level, so they are exact.
//
// YUV (yuyv, nv12): BT.601, limited range (Y 16..235, chroma 16..240), which is what V4L2 defines for Y'CbCr
// formats without other information, so what a webcam gives; a pair (nv12: a square) of pixels shares its
// chroma. RGB is clamped to 0..255. For a grey network only luma is converted, expanded to 0..255.
class LineConverter {
  public:
    virtual ~LineConverter() = default;
    // y: row of the frame.
    virtual void convert(const FrameView& frame, int y, ColumnRange columns,
                         const PlanarLine& line) noexcept = 0;
};

struct ConverterChoice {
    std::unique_ptr<LineConverter> converter;
    int channels = 3;
    float unit = 1;  // grey levels per count
};

[[nodiscard]] ConverterChoice make_line_converter(PixelFormat format, InputColour colour, Isa isa);

}  // namespace fastpose
