// Set-up of the device, and frames in the order in which it exposed them.
#include <linux/videodev2.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>

#include "base/clock.h"
#include "base/error.h"
#include "camera/frame_counter.h"
#include "camera/jpeg_decoder.h"
#include "camera/v4l2_camera.h"
#include "camera/v4l2_controls.h"
#include "camera/v4l2_format.h"
#include "camera/v4l2_stream.h"

namespace fastpose {
namespace {

constexpr std::int64_t pause_ns = 1'000'000;  // where there is nothing to wait on

struct Counts {
    std::int64_t frames = 0, failed = 0, cut_short = 0, damaged = 0, uncounted = 0;
};

std::size_t bytes_of(const CameraInfo& info) noexcept {
    const auto luma = static_cast<std::size_t>(info.stride_bytes) * static_cast<std::size_t>(info.height);
    return info.format == PixelFormat::nv12 ? luma + luma / 2 : luma;
}

// Slots that wait for a frame, in the order in which they were lent.
class LentSlots {
  public:
    void push(int slot, std::span<std::uint8_t> pixels) noexcept {
        items_[(first_ + count_++) % items_.size()] = {slot, pixels};
    }
    [[nodiscard]] bool empty() const noexcept { return count_ == 0; }
    struct Item {
        int slot = -1;
        std::span<std::uint8_t> pixels;
    };
    Item pop() noexcept {
        const Item item = items_[first_];
        first_ = (first_ + 1) % items_.size();
        --count_;
        return item;
    }
    void clear() noexcept { count_ = 0; }

  private:
    std::array<Item, 256> items_{};
    std::size_t first_ = 0, count_ = 0;
};

// Note [timestamps of V4L2]
// A stamp is CLOCK_MONOTONIC, the clock of now_ns(), at the start of the exposure or when the last pixel had
// come; or it is of a clock that nobody knows, and then the frame has none. How long a sensor takes to read
// out is not to be had: from the end of a frame the exposure time is taken off, and the start is no later
// than that.
class LinuxCamera final : public V4l2Camera {
  public:
    LinuxCamera(const V4l2Spec& spec, V4l2Calls& calls)
        : spec_(spec),
          decoder_(spec.mjpg ? make_jpeg_decoder(spec.pixel_format.value_or(PixelFormat::mono8)) : nullptr),
          device_(calls, spec.path),
          counter_(counter_range_from("uint32")) {
        set_up();
        choose_memory();
        counter_ = FrameCounter(counter_range_from("uint32"), info_.rate_hz);
    }
    ~LinuxCamera() override { disarm(); }
    LinuxCamera(const LinuxCamera&) = delete;
    LinuxCamera& operator=(const LinuxCamera&) = delete;

    [[nodiscard]] const CameraInfo& info() const noexcept override { return info_; }
    [[nodiscard]] const V4l2Settings& settings() const noexcept override { return settings_; }
    [[nodiscard]] int depth() const noexcept override { return depth_; }

    void lend(int slot, std::span<std::uint8_t> pixels) noexcept override {
        if (!settings_.user_memory) lent_.push(slot, pixels);
        if (!stream_->lend(slot, pixels)) lost_ = true;
    }

    void arm() override {
        lost_ = false;
        if (!device_.is_open()) reopen();
        try {
            stream_->start();
        } catch (...) {
            device_.close();
            throw;
        }
        stamp_flags_ = stream_->stamp_flags();
    }

    Grab grab(FrameMeta& meta, std::int64_t timeout_ns) noexcept override {
        if (lost_) return {GrabStatus::disconnected, -1};
        if (!settings_.user_memory && lent_.empty()) return nothing(timeout_ns);
        if (device_.wait(timeout_ns) == 0) return {GrabStatus::timeout, -1};
        V4l2Filled filled;
        const int result = stream_->take(filled);
        if (result == -EAGAIN) return nothing(timeout_ns);
        if (result < 0) return lose(-result);
        fill(meta, filled);
        return settings_.user_memory ? Grab{status_of(filled), filled.slot} : copy(filled, meta);
    }

    bool latch_clock(ClockPair& pair) noexcept override {
        if ((stamp_flags_ & V4L2_BUF_FLAG_TIMESTAMP_MASK) != V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC) return false;
        pair.host_before_ns = pair.camera_ns = pair.host_after_ns = now_ns();
        return true;
    }

    void disarm() noexcept override {
        stream_->stop();
        lent_.clear();
        counter_.restart();
        if (lost_) device_.close();
    }

    [[nodiscard]] std::string statistics() const override {
        std::string text = settings_.user_memory ? "into the ring's slots" : settings_.why_copied;
        const auto add = [&](std::int64_t count, const char* what) {
            if (count > 0) text += ", " + std::to_string(count) + what;
        };
        text += ": " + std::to_string(counts_.frames) + " frames";
        add(counts_.failed, " that the driver marked as bad");
        add(counts_.cut_short, " cut short");
        add(counts_.damaged, " with damaged JPEG data");
        add(counts_.uncounted, " without a number of their own");
        if (lost_errno_ != 0) text += "; lost: " + std::generic_category().message(lost_errno_);
        return text;
    }

  private:
    void set_up() {
        const V4l2Layout layout = set_format(device_, spec_);
        const double rate_hz = set_rate(device_, layout, spec_.rate_hz);
        keep_rate(device_);
        if (spec_.exposure_us) set_exposure(device_, *spec_.exposure_us);
        set_controls(device_, spec_.controls);
        info_ = {.format = layout.pixel_format,
                 .width = layout.width,
                 .height = layout.height,
                 .rate_hz = rate_hz,
                 .exposure_ns = read_exposure_ns(device_)};
        const auto packed = static_cast<std::int64_t>(row_bytes(layout.pixel_format, layout.width));
        info_.stride_bytes = spec_.mjpg ? packed : std::max(layout.stride_bytes, packed);
        driver_bytes_ = layout.buffer_bytes;
        settings_.fourcc = fourcc_name(layout.fourcc);
        describe();
    }

    void describe() {
        settings_.path = device_.path();
        settings_.card = device_.card();
        settings_.driver = device_.driver();
        settings_.bus = device_.bus();
        settings_.controls.clear();
        for (const V4l2Control& control : list_controls(device_))
            settings_.controls.emplace_back(control.name, control.value);
    }

    void choose_memory() {
        const auto buffer_bytes = static_cast<std::size_t>(driver_bytes_);
        settings_.why_copied = why_copied(buffer_bytes);
        settings_.user_memory = settings_.why_copied.empty();
        if (spec_.memory == V4l2Memory::userptr && !settings_.user_memory)
            device_.fail("memory is userptr, but: " + settings_.why_copied + "; allowed here: auto, mmap");
        if (settings_.user_memory) info_.buffer_bytes = driver_bytes_;
        stream_ = settings_.user_memory ? make_user_stream(device_, buffer_bytes)
                                        : make_mapped_stream(device_, spec_.buffers);
    }

    // Empty where the driver takes our memory.
    std::string why_copied(std::size_t buffer_bytes) {
        if (spec_.mjpg) return "decoded from MJPG into the ring's slots";
        if (spec_.memory == V4l2Memory::mmap) return "one copy a frame, as memory: mmap asks for";
        const int taken = try_user_memory(device_, buffer_bytes);
        if (taken > 0) depth_ = std::min(spec_.buffers, taken);
        if (taken > 0) return {};
        return "one copy a frame, for driver '" + device_.driver() + "' takes no memory of ours (" +
               std::generic_category().message(-taken) + ")";
    }

    // After a disconnect: the same camera as before, set as before.
    void reopen() {
        const CameraInfo before = info_;
        const std::int64_t driver_bytes = driver_bytes_;
        const std::string card = settings_.card;
        device_.open();
        try {
            if (device_.card() != card)
                device_.fail("'" + device_.card() + "' is there now, not '" + card + "'");
            set_up();
            info_.buffer_bytes = before.buffer_bytes;
            if (info_.stride_bytes != before.stride_bytes || driver_bytes_ != driver_bytes)
                device_.fail("its frames have another layout than before; start a new session");
        } catch (...) {
            device_.close();
            throw;
        }
    }

    Grab nothing(std::int64_t timeout_ns) noexcept {
        sleep_until_ns(now_ns() + std::min(timeout_ns, pause_ns));
        return {GrabStatus::timeout, -1};
    }

    Grab lose(int error) noexcept {
        lost_ = true;
        lost_errno_ = error;
        return {GrabStatus::disconnected, -1};
    }

    void fill(FrameMeta& meta, const V4l2Filled& filled) noexcept {
        meta.received_ns = now_ns();
        const FrameCount count = counter_.next(filled.sequence, meta.received_ns);
        meta.camera_counter = count.counter;
        meta.flags = count.reset ? frame_counter_reset : 0;
        counts_.uncounted += count.counter < 0 ? 1 : 0;
        meta.width = info_.width;
        meta.height = info_.height;
        meta.camera_timestamp_ns = exposure_start_ns(filled);
    }

    [[nodiscard]] std::int64_t exposure_start_ns(const V4l2Filled& filled) const noexcept {
        if ((filled.flags & V4L2_BUF_FLAG_TIMESTAMP_MASK) != V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC) return 0;
        const bool start = (filled.flags & V4L2_BUF_FLAG_TSTAMP_SRC_MASK) == V4L2_BUF_FLAG_TSTAMP_SRC_SOE;
        return filled.timestamp_ns - (start ? 0 : info_.exposure_ns);
    }

    GrabStatus status_of(const V4l2Filled& filled) noexcept {
        const bool bad = (filled.flags & V4L2_BUF_FLAG_ERROR) != 0;
        const bool cut = !bad && filled.bytes.size() < (spec_.mjpg ? 1 : bytes_of(info_));
        counts_.failed += bad ? 1 : 0;
        counts_.cut_short += cut ? 1 : 0;
        counts_.frames += bad || cut ? 0 : 1;
        return bad || cut ? GrabStatus::failed : GrabStatus::frame;
    }

    Grab copy(const V4l2Filled& filled, FrameMeta& meta) noexcept {
        const LentSlots::Item target = lent_.pop();
        GrabStatus status = status_of(filled);
        if (status == GrabStatus::frame && decoder_) status = decode(filled, target.pixels, meta);
        if (status == GrabStatus::frame && !decoder_)
            std::memcpy(target.pixels.data(), filled.bytes.data(),
                        std::min(bytes_of(info_), target.pixels.size()));
        if (stream_->give_back(filled) < 0) lost_ = true;
        return {status, target.slot};
    }

    GrabStatus decode(const V4l2Filled& filled, std::span<std::uint8_t> pixels, FrameMeta& meta) noexcept {
        const JpegResult result = decoder_->decode(filled.bytes, pixels, info_.width, info_.height);
        if (result != JpegResult::whole) ++counts_.damaged;
        if (result == JpegResult::damaged) meta.flags |= frame_torn;
        if (result != JpegResult::unreadable) return GrabStatus::frame;
        --counts_.frames;
        return GrabStatus::failed;
    }

    V4l2Spec spec_;
    std::unique_ptr<JpegDecoder> decoder_;
    V4l2Device device_;
    FrameCounter counter_;
    CameraInfo info_;
    V4l2Settings settings_;
    std::int64_t driver_bytes_ = 0;  // of a buffer
    std::unique_ptr<V4l2Stream> stream_;
    LentSlots lent_;
    int depth_ = 1;
    std::uint32_t stamp_flags_ = 0;
    Counts counts_;
    bool lost_ = false;
    int lost_errno_ = 0;
};

}  // namespace

V4l2Description describe_v4l2(const std::string& path, V4l2Calls& calls) {
    V4l2Device device(calls, path);
    return {path, device.card(), device.driver(), device.bus(), list_formats(device), list_controls(device)};
}

std::unique_ptr<V4l2Camera> make_v4l2_camera(const V4l2Spec& spec, V4l2Calls& calls) {
    return std::make_unique<LinuxCamera>(spec, calls);
}

}  // namespace fastpose
