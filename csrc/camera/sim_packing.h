// Pixel formats of the simulated camera that are made from another one, as a sensor or its driver makes them.
#pragma once
#include <cstdint>
#include <span>

#include "camera/sim_renderer.h"
#include "frame/frame.h"

namespace fastpose::sim {

// What the renderer draws for a format: mono8 for mono10 and mono12, rgb8 for yuyv and nv12, else itself.
[[nodiscard]] PixelFormat drawn_as(PixelFormat format) noexcept;

// Rows of a frame `drawn` as drawn_as(format) says, into `pixels`; both whole frames, densely packed.
// mono10, mono12: the upper 8 bits are those drawn, the lower ones a pattern that takes all their values.
// yuyv, nv12: BT.601, limited range; chroma is the mean of the pixels that share it. The chroma row of nv12
// goes with the first of its two rows.
void pack_rows(std::span<const std::uint8_t> drawn, PixelFormat format, int width, int height, Rows rows,
               std::span<std::uint8_t> pixels) noexcept;

// Rows of a frame as they are.
void copy_rows(std::span<const std::uint8_t> source, PixelFormat format, int width, int height, Rows rows,
               std::span<std::uint8_t> pixels) noexcept;

}  // namespace fastpose::sim
