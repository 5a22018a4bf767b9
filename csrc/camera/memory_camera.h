// Frames held in memory, played at an exact rate: what a fast camera would deliver, with nothing to decode.
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "camera/camera.h"

namespace fastpose {

// Frames of one size and format. Thread-bound while it is filled; reentrant for readers afterwards.
class FrameStore {
  public:
    // Throws ConfigError for a size that no frame has.
    FrameStore(PixelFormat format, int width, int height);
    // Memory of one more frame, densely packed, for the caller to fill; `flags` of FrameFlag go with it.
    // Throws CameraError when there is no memory left, with the number of frames that fitted.
    std::span<std::uint8_t> append(std::int32_t flags);

    [[nodiscard]] std::int64_t size() const noexcept { return static_cast<std::int64_t>(frames_.size()); }
    [[nodiscard]] std::span<const std::uint8_t> pixels(std::int64_t index) const noexcept;
    [[nodiscard]] std::int32_t flags(std::int64_t index) const noexcept;
    [[nodiscard]] PixelFormat format() const noexcept { return format_; }
    [[nodiscard]] int width() const noexcept { return width_; }
    [[nodiscard]] int height() const noexcept { return height_; }

  private:
    struct Frame {
        std::unique_ptr<std::uint8_t[]> pixels;
        std::int32_t flags = 0;
    };
    PixelFormat format_;
    int width_, height_;
    std::size_t bytes_;
    std::vector<Frame> frames_;
};

// Exposure i begins i / rate_hz after arming, whatever the host does, and its frame arrives with it. The
// camera's clock is the host's. With `loop` it starts again after the last frame and never ends by itself.
// Throws ConfigError when there are no frames or the rate is not positive.
[[nodiscard]] std::unique_ptr<Camera> make_memory_camera(std::shared_ptr<const FrameStore> frames,
                                                         double rate_hz, bool loop);

}  // namespace fastpose
