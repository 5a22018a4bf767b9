// A copy into the slot ahead of time, then the exposure on its deadline.
#include "camera/memory_camera.h"

#include <algorithm>
#include <cmath>
#include <new>

#include "base/clock.h"
#include "base/error.h"
#include "camera/filling_camera.h"

namespace fastpose {

FrameStore::FrameStore(PixelFormat format, int width, int height)
    : format_(format), width_(width), height_(height) {
    if (width < 1 || height < 1)
        throw ConfigError("frame size is " + std::to_string(width) + "x" + std::to_string(height) +
                          "; allowed is at least 1x1");
    bytes_ = frame_bytes(format, width, height);
}

std::span<std::uint8_t> FrameStore::append(std::int32_t flags) {
    try {
        frames_.push_back({std::make_unique<std::uint8_t[]>(bytes_), flags});
    } catch (const std::bad_alloc&) {
        throw CameraError("no memory for more than " + std::to_string(frames_.size()) + " frames of " +
                          std::to_string(bytes_) +
                          " bytes; play the file without in_memory, or a shorter one");
    }
    return {frames_.back().pixels.get(), bytes_};
}

std::span<const std::uint8_t> FrameStore::pixels(std::int64_t index) const noexcept {
    return {frames_[static_cast<std::size_t>(index)].pixels.get(), bytes_};
}

std::int32_t FrameStore::flags(std::int64_t index) const noexcept {
    return frames_[static_cast<std::size_t>(index)].flags;
}

namespace {

class MemoryCamera final : public FillingCamera {
  public:
    MemoryCamera(std::shared_ptr<const FrameStore> frames, double rate_hz, bool loop)
        : frames_(std::move(frames)), loop_(loop) {
        if (!frames_ || frames_->size() == 0) throw ConfigError("a camera of frames in memory has none");
        if (!(rate_hz > 0))
            throw ConfigError("rate_hz is " + std::to_string(rate_hz) + "; allowed is more than 0");
        info_ = {.format = frames_->format(),
                 .width = frames_->width(),
                 .height = frames_->height(),
                 .rate_hz = rate_hz,
                 .exposure_ns = 0};
    }

    [[nodiscard]] const CameraInfo& info() const noexcept override { return info_; }

    void arm() override {
        index_ = 0;
        armed_ns_ = now_ns();
    }

    GrabStatus fill(std::span<std::uint8_t> slot, FrameMeta& meta,
                    std::int64_t timeout_ns) noexcept override {
        if (!loop_ && index_ >= frames_->size()) return GrabStatus::finished;
        const std::int64_t give_up_ns = now_ns() + timeout_ns;
        const std::int64_t due_ns = exposure_start(index_);
        const std::int64_t source = index_ % frames_->size();
        const std::span<const std::uint8_t> pixels = frames_->pixels(source);
        if (due_ns > give_up_ns) {
            sleep_until_ns(give_up_ns);
            return GrabStatus::timeout;
        }
        std::copy(pixels.begin(), pixels.end(), slot.begin());
        sleep_until_ns(due_ns);
        meta.camera_counter = index_;
        meta.camera_timestamp_ns = due_ns;
        meta.received_ns = now_ns();
        meta.width = info_.width;
        meta.height = info_.height;
        meta.flags = frames_->flags(source) |
                     (meta.received_ns > exposure_start(index_ + 1) ? frame_late : 0) |
                     (!loop_ && index_ + 1 == frames_->size() ? frame_last : 0);
        ++index_;
        return GrabStatus::frame;
    }

    bool latch_clock(ClockPair& pair) noexcept override {
        pair.host_before_ns = now_ns();
        pair.camera_ns = now_ns();
        pair.host_after_ns = now_ns();
        return true;
    }

  private:
    [[nodiscard]] std::int64_t exposure_start(std::int64_t index) const noexcept {
        return armed_ns_ + std::llround(static_cast<double>(index) * 1e9 / info_.rate_hz);
    }

    std::shared_ptr<const FrameStore> frames_;
    bool loop_;
    CameraInfo info_;
    std::int64_t index_ = 0;  // of the next exposure
    std::int64_t armed_ns_ = 0;
};

}  // namespace

std::unique_ptr<Camera> make_memory_camera(std::shared_ptr<const FrameStore> frames, double rate_hz,
                                           bool loop) {
    return std::make_unique<MemoryCamera>(std::move(frames), rate_hz, loop);
}

}  // namespace fastpose
