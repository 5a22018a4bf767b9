// Grey to 10 and 12 bits, colour to YUV, row by row.
#include "camera/sim_packing.h"

#include <cmath>
#include <cstddef>
#include <cstring>

namespace fastpose::sim {
namespace {

struct Rgb {
    float red = 0, green = 0, blue = 0;
};

std::size_t at(int row, int column, int width) noexcept {
    return static_cast<std::size_t>(row) * static_cast<std::size_t>(width) + static_cast<std::size_t>(column);
}

Rgb pixel(std::span<const std::uint8_t> drawn, std::size_t index) noexcept {
    return {static_cast<float>(drawn[3 * index]), static_cast<float>(drawn[3 * index + 1]),
            static_cast<float>(drawn[3 * index + 2])};
}

Rgb mean(const Rgb& one, const Rgb& other) noexcept {
    return {(one.red + other.red) / 2, (one.green + other.green) / 2, (one.blue + other.blue) / 2};
}

std::uint8_t byte(float value) noexcept { return static_cast<std::uint8_t>(std::lround(value)); }
float grey(const Rgb& p) noexcept { return 0.299F * p.red + 0.587F * p.green + 0.114F * p.blue; }
std::uint8_t luma(const Rgb& p) noexcept { return byte(16 + grey(p) * 219 / 255); }
std::uint8_t chroma_u(const Rgb& p) noexcept { return byte(128 + (p.blue - grey(p)) / 1.772F * 224 / 255); }
std::uint8_t chroma_v(const Rgb& p) noexcept { return byte(128 + (p.red - grey(p)) / 1.402F * 224 / 255); }

void widen_row(std::span<const std::uint8_t> drawn, int bits, int width, int y,
               std::span<std::uint8_t> pixels) noexcept {
    const int more = bits - 8, mask = (1 << more) - 1;
    for (int x = 0; x < width; ++x) {
        const std::size_t i = at(y, x, width);
        const int value = drawn[i] << more | ((x + 3 * y + drawn[i]) & mask);
        pixels[2 * i] = static_cast<std::uint8_t>(value & 0xFF);
        pixels[2 * i + 1] = static_cast<std::uint8_t>(value >> 8);
    }
}

void yuyv_row(std::span<const std::uint8_t> drawn, int width, int y,
              std::span<std::uint8_t> pixels) noexcept {
    for (int x = 0; x < width; x += 2) {
        const std::size_t i = at(y, x, width);
        const Rgb left = pixel(drawn, i), right = pixel(drawn, i + 1), both = mean(left, right);
        pixels[2 * i] = luma(left);
        pixels[2 * i + 1] = chroma_u(both);
        pixels[2 * i + 2] = luma(right);
        pixels[2 * i + 3] = chroma_v(both);
    }
}

void nv12_chroma_row(std::span<const std::uint8_t> drawn, int width, int height, int y,
                     std::span<std::uint8_t> pixels) noexcept {
    for (int x = 0; x < width; x += 2) {
        const std::size_t upper = at(y, x, width), lower = at(y + 1, x, width);
        const Rgb square = mean(mean(pixel(drawn, upper), pixel(drawn, upper + 1)),
                                mean(pixel(drawn, lower), pixel(drawn, lower + 1)));
        const std::size_t target = at(height + y / 2, x, width);
        pixels[target] = chroma_u(square);
        pixels[target + 1] = chroma_v(square);
    }
}

void nv12_row(std::span<const std::uint8_t> drawn, int width, int height, int y,
              std::span<std::uint8_t> pixels) noexcept {
    for (int x = 0; x < width; ++x) pixels[at(y, x, width)] = luma(pixel(drawn, at(y, x, width)));
    if (y % 2 == 0) nv12_chroma_row(drawn, width, height, y, pixels);
}

}  // namespace

PixelFormat drawn_as(PixelFormat format) noexcept {
    switch (format) {
        case PixelFormat::mono10:
        case PixelFormat::mono12:
            return PixelFormat::mono8;
        case PixelFormat::yuyv:
        case PixelFormat::nv12:
            return PixelFormat::rgb8;
        default:
            return format;
    }
}

void pack_rows(std::span<const std::uint8_t> drawn, PixelFormat format, int width, int height, Rows rows,
               std::span<std::uint8_t> pixels) noexcept {
    for (int y = rows.begin; y < rows.end; ++y) {
        if (format == PixelFormat::yuyv)
            yuyv_row(drawn, width, y, pixels);
        else if (format == PixelFormat::nv12)
            nv12_row(drawn, width, height, y, pixels);
        else
            widen_row(drawn, format == PixelFormat::mono10 ? 10 : 12, width, y, pixels);
    }
}

void copy_rows(std::span<const std::uint8_t> source, PixelFormat format, int width, int height, Rows rows,
               std::span<std::uint8_t> pixels) noexcept {
    const std::size_t row = row_bytes(format, width);
    const auto copy = [&](int first, int last) {
        const std::size_t start = static_cast<std::size_t>(first) * row;
        std::memcpy(pixels.data() + start, source.data() + start,
                    static_cast<std::size_t>(last - first) * row);
    };
    copy(rows.begin, rows.end);
    if (format == PixelFormat::nv12) copy(height + (rows.begin + 1) / 2, height + (rows.end + 1) / 2);
}

}  // namespace fastpose::sim
