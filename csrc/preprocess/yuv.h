// YUV rows to RGB or luma in fixed point.
#pragma once
#include <cstdint>
#include <memory>

#include "base/cpu_features.h"
#include "preprocess/line_converter.h"

namespace fastpose {

// Note [Fixed-point BT.601]: with limited range
//     R = 255/219 (Y - 16)                          + 1.402 * 255/224 (V - 128)
//     G = 255/219 (Y - 16) - 0.344136 * 255/224 (U - 128) - 0.714136 * 255/224 (V - 128)
//     B = 255/219 (Y - 16) + 1.772 * 255/224 (U - 128)
// One grey level is 122 * 219 / 255 counts, so that luma's factor is whole and chroma's, in multiples of
// 2^-7, are within 0.12 of an integer; all sums fit into 16 bits or saturate beyond white. Each chroma term
// is rounded by itself: against real numbers a sum of two is off by less than 0.012 grey levels.
namespace yuv {
inline constexpr int luma = 122, red_v = 21405, green_u = 5254, green_v = 10903, blue_u = 27054;
inline constexpr int chroma_shift = 7;
inline constexpr int white = 122 * 219;  // 255 grey levels
}  // namespace yuv

inline constexpr float kYuvUnit = 255.0F / yuv::white;

// luma[i] belongs to column begin + i. chroma: U, V for each pair of columns, `chroma_step` bytes from U to
// V.
struct YuvRow {
    const std::uint8_t* luma = nullptr;
    const std::uint8_t* chroma = nullptr;
    int count = 0;        // columns, even
    bool packed = false;  // yuyv: luma and chroma alternate, chroma == luma + 1
};

using ConvertYuvRow = void (*)(const YuvRow& row, const PlanarLine& line) noexcept;
void yuv_to_rgb_scalar(const YuvRow& row, const PlanarLine& line) noexcept;
void yuv_to_rgb_avx2(const YuvRow& row, const PlanarLine& line) noexcept;
void yuv_to_rgb_avx512(const YuvRow& row, const PlanarLine& line) noexcept;
void yuv_to_luma_scalar(const YuvRow& row, const PlanarLine& line) noexcept;
void yuv_to_luma_avx2(const YuvRow& row, const PlanarLine& line) noexcept;
void yuv_to_luma_avx512(const YuvRow& row, const PlanarLine& line) noexcept;

// The columns behind the first `done`, which a wider twin has left over.
void convert_rest(const YuvRow& row, const PlanarLine& line, int done, ConvertYuvRow convert) noexcept;

[[nodiscard]] std::unique_ptr<LineConverter> make_yuv_converter(PixelFormat format, InputColour colour,
                                                                Isa isa);

}  // namespace fastpose
