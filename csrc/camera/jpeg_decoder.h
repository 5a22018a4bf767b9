// Motion-JPEG frames into pixels, by libjpeg-turbo where the system has it.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "frame/frame.h"

namespace fastpose {

enum class JpegResult {
    whole,
    damaged,  // a part of it could not be read; the rest is there
    unreadable,
};

// Thread-bound. decode() allocates nothing of ours.
class JpegDecoder {
  public:
    virtual ~JpegDecoder() = default;
    // Writes width x height pixels of the format given to make_jpeg_decoder(), densely packed. A frame of
    // another size is unreadable.
    virtual JpegResult decode(std::span<const std::uint8_t> jpeg, std::span<std::uint8_t> pixels, int width,
                              int height) noexcept = 0;
    // What the library said last; may be empty.
    [[nodiscard]] virtual std::string last_words() const = 0;
};

// Throws CameraError: a format that JPEG does not decode to (allowed: mono8, rgb8, bgr8), or no library.
[[nodiscard]] std::unique_ptr<JpegDecoder> make_jpeg_decoder(PixelFormat format);

}  // namespace fastpose
