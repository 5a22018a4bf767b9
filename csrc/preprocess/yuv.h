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
// The factors are multiplied by 15318, which brings all five within 0.04 of an integer and the largest under
// 2^15; sums are shifted down by 8 bits. Against real numbers that is off by less than 0.01 grey levels, half
// of it the shift.
namespace yuv {
inline constexpr int luma = 17836, red_v = 24448, green_u = -6001, green_v = -12453, blue_u = 30900;
inline constexpr int shift = 8, rounding = 1 << (shift - 1);
inline constexpr int white = (15318 * 255 + rounding) >> shift;  // 255 grey levels
}  // namespace yuv

inline constexpr float kYuvUnit = 256.0F / 15318;

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
