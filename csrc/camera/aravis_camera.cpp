// One GenICam camera behind the interface of the engine.
#include "camera/aravis_camera.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <system_error>
#include <thread>

#include "base/clock.h"
#include "camera/aravis_clock.h"
#include "camera/aravis_device.h"
#include "camera/aravis_pixels.h"
#include "camera/aravis_stream.h"
#include "camera/frame_counter.h"

namespace fastpose {
namespace {

using namespace aravis;

constexpr std::int64_t ns_per_s = 1'000'000'000;
constexpr std::int64_t first_frame_ns = 5 * ns_per_s;  // some cameras calibrate themselves before it
constexpr std::int64_t least_silence_ns = ns_per_s;
constexpr int silent_periods = 10;

// Whether a complete buffer holds a frame as it was announced: somebody may have changed the region.
bool holds(ArvBuffer* buffer, const CameraInfo& info) noexcept {
    const ArvBufferPayloadType type = arv_buffer_get_payload_type(buffer);
    if (type != ARV_BUFFER_PAYLOAD_TYPE_IMAGE && type != ARV_BUFFER_PAYLOAD_TYPE_EXTENDED_CHUNK_DATA)
        return false;
    return arv_buffer_get_image_width(buffer) == info.width &&
           arv_buffer_get_image_height(buffer) == info.height &&
           arv_buffer_get_image_pixel_format(buffer) == pixel_code(info.format);
}

bool same_frames(const CameraInfo& one, const CameraInfo& other) noexcept {
    return one.format == other.format && one.width == other.width && one.height == other.height &&
           one.stride_bytes == other.stride_bytes && one.buffer_bytes == other.buffer_bytes;
}

// Aravis takes ten seconds to close a camera that does not answer. Nothing of ours is used by then, so nobody
// has to wait: not a reconnection, and not the end of the session.
void bury(std::unique_ptr<Stream> stream, std::unique_ptr<Device> device) noexcept {
    try {
        std::thread([stream = std::move(stream), device = std::move(device)]() mutable {
            stream.reset();
            device.reset();
        }).detach();
    } catch (const std::system_error&) {  // no thread is to be had: then here
    }
}

class Driver final : public AravisCamera {
  public:
    explicit Driver(const AravisSpec& spec)
        : spec_(spec),
          device_(std::make_unique<Device>(spec)),
          info_(device_->info()),
          counter_(device_->counter_range(), info_.rate_hz),
          details_(device_->details()),
          period_ns_(info_.rate_hz > 0 ? static_cast<std::int64_t>(1e9 / info_.rate_hz) : ns_per_s) {}

    ~Driver() override { disarm(); }

    [[nodiscard]] const CameraInfo& info() const noexcept override { return info_; }
    [[nodiscard]] int depth() const noexcept override { return spec_.buffers; }
    [[nodiscard]] std::map<std::string, std::string> details() const override { return details_; }

    [[nodiscard]] const void* written_at(int slot) const noexcept override {
        ArvBuffer* buffer = pool_.buffer(slot);
        return buffer == nullptr ? nullptr : arv_buffer_get_data(buffer, nullptr);
    }

    void lend(int slot, std::span<std::uint8_t> memory) noexcept override {
        Slot& lent = pool_.lend(slot, memory);
        if (stream_) stream_->push(lent);
    }

    void arm() override {
        if (!device_ || device_->lost()) reopen();
        auto stream = std::make_unique<Stream>(device_->camera(), spec_, "aravis");
        for (Slot& slot : pool_.slots())
            if (slot.lent) stream->push(slot);
        device_->start();
        silent_ns_ = -first_frame_ns;
        next_trigger_ns_ = now_ns();
        counter_.restart();
        const std::lock_guard lock(mutex_);
        stream_ = std::move(stream);
    }

    Grab grab(FrameMeta& meta, std::int64_t timeout_ns) noexcept override {
        if (!stream_) return {};
        if (const Slot* slot = next(timeout_ns)) {
            silent_ns_ = 0;
            return hand_over(*slot, meta);
        }
        silent_ns_ += timeout_ns;  // not by the clock: a process that was stopped does not blame the camera
        return {is_gone() ? GrabStatus::disconnected : GrabStatus::timeout, -1};
    }

    bool latch_clock(ClockPair& pair) noexcept override {
        // A camera that is gone would block for seconds.
        const bool answers = device_ && !device_->lost() && !(exposes_by_itself() && silent_ns_ > 0);
        return answers && device_->clock().latch(pair);
    }

    void disarm() noexcept override {
        const bool gone = is_gone();
        if (stream_ && !gone) device_->stop();
        const std::lock_guard lock(mutex_);
        if (stream_) {
            counts_.add(stream_->counts());
            realtime_ = stream_->realtime();
        }
        if (stream_ && gone) {
            stream_->halt();
            bury(std::move(stream_), std::move(device_));
        }
        stream_.reset();
        pool_.take_all_back();
    }

    [[nodiscard]] std::string statistics() const override {
        const std::lock_guard lock(mutex_);
        Counts counts = counts_;
        if (stream_) counts.add(stream_->counts());
        std::string text = counts.text();
        if (wrong_.load() > 0) text += ", " + std::to_string(wrong_.load()) + " of another size or format";
        if (stream_ ? stream_->realtime() : realtime_) text += "; its thread is real-time";
        const std::string ptp = device_ && !device_->lost() ? device_->clock().ptp_state() : "";
        return ptp.empty() ? text : text + "; " + ptp;
    }

  private:
    void reopen() {
        if (device_) bury(nullptr, std::move(device_));
        auto device = std::make_unique<Device>(spec_);
        if (!same_frames(device->info(), info_))
            throw CameraError("the camera came back with frames of another size or format");
        const std::lock_guard lock(mutex_);
        device_ = std::move(device);
    }

    [[nodiscard]] bool exposes_by_itself() const noexcept { return spec_.trigger.source == "internal"; }

    // The heartbeat takes seven seconds to tell; a camera that exposes by itself tells it by its silence.
    [[nodiscard]] bool is_gone() const noexcept {
        if (!device_ || device_->lost()) return true;
        return exposes_by_itself() && silent_ns_ >= std::max(least_silence_ns, silent_periods * period_ns_);
    }

    [[nodiscard]] const Slot* next(std::int64_t timeout_ns) noexcept {
        if (spec_.trigger.source != "software") return stream_->pop(timeout_ns);
        const std::int64_t end_ns = now_ns() + timeout_ns;
        for (;;) {
            trigger_if_due();
            const std::int64_t wait_ns = std::min(end_ns, next_trigger_ns_) - now_ns();
            if (const Slot* slot = stream_->pop(wait_ns)) return slot;
            if (now_ns() >= end_ns) return nullptr;
        }
    }

    void trigger_if_due() noexcept {
        const std::int64_t time_ns = now_ns();
        if (time_ns < next_trigger_ns_) return;
        device_->trigger();
        next_trigger_ns_ = std::max(next_trigger_ns_ + period_ns_, time_ns);  // what was missed stays so
    }

    Grab hand_over(const Slot& slot, FrameMeta& meta) noexcept {
        ArvBuffer* buffer = slot.buffer.get();
        meta.received_ns = slot.received_ns();
        const FrameCount count = counter_.next(arv_buffer_get_frame_id(buffer), meta.received_ns);
        meta.camera_counter = count.counter;
        meta.camera_timestamp_ns = static_cast<std::int64_t>(arv_buffer_get_timestamp(buffer));
        meta.width = info_.width;
        meta.height = info_.height;
        meta.flags = count.reset ? frame_counter_reset : 0;
        if (arv_buffer_get_status(buffer) != ARV_BUFFER_STATUS_SUCCESS)
            return {GrabStatus::failed, slot.index};
        if (holds(buffer, info_)) return {GrabStatus::frame, slot.index};
        wrong_.fetch_add(1);
        return {GrabStatus::failed, slot.index};
    }

    AravisSpec spec_;
    std::unique_ptr<Device> device_;  // none while the camera is gone
    CameraInfo info_;
    FrameCounter counter_;
    std::map<std::string, std::string> details_;
    std::int64_t period_ns_;
    SlotPool pool_;
    std::unique_ptr<Stream> stream_;  // while armed; after the pool, whose slots it fills
    std::int64_t silent_ns_ = 0;      // since the last frame; below 0: the first may take its time
    std::int64_t next_trigger_ns_ = 0;
    std::atomic<std::int64_t> wrong_{0};
    mutable std::mutex mutex_;  // of device_, stream_ and what follows, for statistics()
    Counts counts_;             // of former streams
    bool realtime_ = false;
};

}  // namespace

std::unique_ptr<AravisCamera> make_aravis_camera(const AravisSpec& spec) {
    return std::make_unique<Driver>(spec);
}

}  // namespace fastpose
