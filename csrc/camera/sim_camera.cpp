// Exposures on absolute deadlines, delivered with their faults.
#include "camera/sim_camera.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <new>

#include "base/clock.h"
#include "base/error.h"
#include "base/sim_light.h"
#include "camera/filling_camera.h"
#include "camera/sim_led.h"
#include "camera/sim_simulation.h"
#include "camera/sim_wire.h"

namespace fastpose {
namespace {

constexpr int kQueueFrames = 32;  // that the driver holds for a slow host
constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();

std::int64_t to_ns(double value, double ns_per_unit) { return std::llround(value * ns_per_unit); }

// The camera's oscillator: starts at offset_s, runs drift_ppm fast, and may be set once.
class DriftingClock {
  public:
    DriftingClock(const SimClock& clock, std::int64_t zero_ns)
        : zero_ns_(zero_ns), offset_ns_(to_ns(clock.offset_s, 1e9)), drift_(1e-6 * clock.drift_ppm) {}
    [[nodiscard]] std::int64_t camera_ns(std::int64_t host_ns) const noexcept {
        const std::int64_t elapsed_ns = host_ns - zero_ns_;
        const std::int64_t drift_ns = std::llround(drift_ * static_cast<double>(elapsed_ns));
        return offset_ns_ + elapsed_ns + drift_ns + (host_ns >= jump_at_ns_ ? jump_ns_ : 0);
    }
    void jump(std::int64_t at_host_ns, std::int64_t by_ns) noexcept {
        jump_at_ns_ = at_host_ns;
        jump_ns_ = by_ns;
    }

  private:
    std::int64_t zero_ns_, offset_ns_, jump_at_ns_ = kNever, jump_ns_ = 0;
    double drift_;
};

class SimCamera final : public FillingCamera {
  public:
    explicit SimCamera(const SimSpec& spec) : simulation_(spec), spec_(spec), clock_(spec.clock, now_ns()) {
        info_ = {.format = spec.pixel_format,
                 .width = spec.width(),
                 .height = spec.height(),
                 .rate_hz = spec.rate_hz,
                 .exposure_ns = to_ns(spec.exposure_us, 1e3)};
        if (!spec.camera_trigger.line.empty()) wire_ = sim_wire(spec.camera_trigger.line);
        if (spec.led) light_ = sim_light(spec.led->output);
    }

    [[nodiscard]] const CameraInfo& info() const noexcept override { return info_; }

    void arm() override {
        const bool again = unplugged_ns_ <= now_ns();
        if (again && now_ns() < plugged_ns_) throw CameraError("sim camera: its cable is not connected");
        try {
            simulation_.prerender();
        } catch (const std::bad_alloc&) {
            throw CameraError("sim camera: no memory for prerender_frames " +
                              std::to_string(spec_.prerender_frames.value_or(0)) + "; ask for fewer");
        }
        first_ = index_ = again ? index_ : 0;
        waits_for_edge_ = spec_.camera_trigger.follows();
        armed_ns_ = last_due_ns_ = now_ns();
        if (again) clock_ = DriftingClock(spec_.clock, armed_ns_);
        if (wire_ && !waits_for_edge_)
            wire_->start(armed_ns_, spec_.rate_hz, spec_.frames_total.value_or(-1));
        plan_faults(again);
    }

    GrabStatus fill(std::span<std::uint8_t> slot, FrameMeta& meta,
                    std::int64_t timeout_ns) noexcept override {
        const std::int64_t give_up_ns = now_ns() + timeout_ns;
        if (waits_for_edge_ && !find_edge(give_up_ns))
            return now_ns() < unplugged_ns_ ? GrabStatus::timeout : GrabStatus::disconnected;
        pass_lost_frames(give_up_ns);
        if (spec_.frames_total && index_ >= *spec_.frames_total) {
            return GrabStatus::finished;
        }
        const std::int64_t due_ns = exposed(index_) ? due(index_) : kNever;
        const std::int64_t end_ns = std::min({due_ns, give_up_ns, unplugged_ns_});
        if (end_ns < due_ns) {
            sleep_until_ns(end_ns);
            return end_ns == unplugged_ns_ ? GrabStatus::disconnected : GrabStatus::timeout;
        }
        const bool failed = simulation_.fate(index_).failed;
        if (!failed) simulation_.render(index_, slot);
        if (!failed && light_) add_led(slot);
        sleep_until_ns(due_ns);
        describe(meta);
        last_due_ns_ = due_ns;
        ++index_;
        return failed ? GrabStatus::failed : GrabStatus::frame;
    }

    bool latch_clock(ClockPair& pair) noexcept override {
        pair.host_before_ns = now_ns();
        const std::int64_t read_ns = now_ns();
        pair.camera_ns = clock_.camera_ns(read_ns);
        pair.host_after_ns = now_ns();
        return read_ns < unplugged_ns_;
    }

    void disarm() noexcept override {
        if (wire_ && !spec_.camera_trigger.follows()) wire_->stop();
        FillingCamera::disarm();
    }

  private:
    // Each happens once in a session.
    void plan_faults(bool again) noexcept {
        const SimFaults& faults = spec_.faults;
        const auto after = [](std::int64_t from_ns, std::optional<double> wait_s) {
            return wait_s ? from_ns + to_ns(*wait_s, 1e9) : kNever;
        };
        unplugged_ns_ = again ? kNever : after(armed_ns_, faults.disconnect_after_s);
        plugged_ns_ = unplugged_ns_ == kNever ? kNever : after(unplugged_ns_, faults.reconnect_after_s);
        if (!again) clock_.jump(after(armed_ns_, faults.clock_jump_after_s), to_ns(faults.clock_jump_s, 1e9));
    }

    // A camera counts the edges that it sees: those that came before it was armed are none of its.
    bool find_edge(std::int64_t give_up_ns) noexcept {
        if (!wire_->wait_started(std::min(give_up_ns, unplugged_ns_))) return false;
        first_edge_ = wire_->first_edge_after(armed_ns_) - first_;
        waits_for_edge_ = false;
        return true;
    }

    [[nodiscard]] bool exposed(std::int64_t index) const noexcept {
        return !spec_.camera_trigger.follows() || wire_->has(first_edge_ + index);
    }

    [[nodiscard]] std::int64_t exposure_start(std::int64_t index) const noexcept {
        if (spec_.camera_trigger.follows()) return wire_->edge_ns(first_edge_ + index);
        return armed_ns_ + to_ns(static_cast<double>(index - first_) / spec_.rate_hz, 1e9);
    }

    // When the frame reaches the host: never before the one ahead of it.
    [[nodiscard]] std::int64_t due(std::int64_t index) const noexcept {
        const std::int64_t sent_ns =
            exposure_start(index) + info_.exposure_ns + to_ns(spec_.transfer_ms, 1e6);
        const bool late = simulation_.fate(index).late;
        return std::max(last_due_ns_, late ? sent_ns + to_ns(spec_.faults.late_ms, 1e6) : sent_ns);
    }

    // What the LED did is known when the exposure is over.
    void add_led(std::span<std::uint8_t> slot) noexcept {
        const std::int64_t begin_ns = exposure_start(index_), end_ns = begin_ns + info_.exposure_ns;
        const std::int64_t delay_ns = to_ns(spec_.led->delay_us, 1e3);
        sleep_until_ns(end_ns);
        sim::paint_led(*spec_.led, light_->fraction_on(begin_ns - delay_ns, end_ns - delay_ns), spec_, slot);
    }

    // Frames that the link dropped, and those that no longer fitted into the driver's queue.
    void pass_lost_frames(std::int64_t give_up_ns) noexcept {
        const std::int64_t queue_ns = to_ns(kQueueFrames / spec_.rate_hz, 1e9);
        const std::int64_t oldest_ns = spec_.every_frame ? 0 : now_ns() - queue_ns;
        const std::int64_t end = spec_.frames_total.value_or(kNever);
        while (index_ < end && exposed(index_) && due(index_) <= give_up_ns &&
               (simulation_.fate(index_).dropped || due(index_) < oldest_ns)) {
            ++index_;
        }
    }

    void describe(FrameMeta& meta) const noexcept {
        meta.camera_counter = index_ - first_;
        const std::int64_t late_ns = to_ns(spec_.clock.stamp_late_us, 1e3);
        meta.camera_timestamp_ns = clock_.camera_ns(exposure_start(index_) + late_ns);
        meta.received_ns = now_ns();
        meta.width = info_.width;
        meta.height = info_.height;
        const bool last = spec_.frames_total && index_ + 1 == *spec_.frames_total;
        meta.flags = (simulation_.fate(index_).torn ? frame_torn : 0) |
                     (meta.received_ns > exposure_start(index_ + 1) ? frame_late : 0) |
                     (last ? frame_last : 0);
    }

    Simulation simulation_;
    SimSpec spec_;
    DriftingClock clock_;
    CameraInfo info_;
    std::int64_t index_ = 0, first_ = 0;  // the next exposure, and the first since it was armed
    std::shared_ptr<SimWire> wire_;       // null: none
    std::shared_ptr<SimLight> light_;     // null: no LED in view
    std::int64_t first_edge_ = 0;         // of the wire, where this camera counts 0
    bool waits_for_edge_ = false;
    std::int64_t armed_ns_ = 0, last_due_ns_ = 0, unplugged_ns_ = kNever, plugged_ns_ = kNever;
};

}  // namespace

std::unique_ptr<Camera> make_sim_camera(const SimSpec& spec) { return std::make_unique<SimCamera>(spec); }

}  // namespace fastpose
