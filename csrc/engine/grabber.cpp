// One thread per C++ camera.
#include "engine/grabber.h"

#include <algorithm>

#include "base/clock.h"

namespace fastpose {
namespace {

constexpr std::int64_t ms = 1'000'000;
constexpr std::int64_t wait_ns = 100 * ms;
constexpr std::int64_t retry_ns = 1000 * ms;
// Readings of the clock come soon at the start, where the drift is not known yet, then ever less often.
constexpr std::int64_t first_clock_period_ns = 10 * ms, clock_period_ns = 250 * ms;
constexpr std::int64_t hasty_period_ns = 50 * ms;
constexpr std::int64_t ptp_period_ns = 5000 * ms;
constexpr int clock_readings_at_start = 8;
constexpr int clock_readings_in_doubt = 3;  // as many as the fit needs to begin anew

}  // namespace

Grabber::Grabber(std::string camera_name, std::shared_ptr<Camera> camera, std::shared_ptr<Ring> ring,
                 FaultSlot& faults, ThreadRequest thread, bool reconnect, std::function<void()> on_lost)
    : name_(std::move(camera_name)),
      camera_(std::move(camera)),
      ring_(std::move(ring)),
      faults_(faults),
      request_(std::move(thread)),
      reconnect_(reconnect),
      on_lost_(std::move(on_lost)) {
    lent_.reserve(static_cast<std::size_t>(ring_->spec().slots));
}

Grabber::~Grabber() { join(); }

void Grabber::start() {
    ring_->set_producer_state(HostState::starting, "");
    thread_ = std::thread([this] { run(); });
}

void Grabber::join() noexcept {
    if (thread_.joinable()) thread_.join();
}

void Grabber::fail(FaultKind kind, const char* text) noexcept {
    ring_->set_producer_state(HostState::failed, text);
    faults_.post(kind, text);
}

bool Grabber::arm() noexcept {
    while (!ring_->wait_started(wait_ns))
        if (ring_->stop_requested()) return false;
    try {
        lend_slots();
        camera_->arm();
        ring_->note_armed();
        return true;
    } catch (const std::exception& error) {
        fail(FaultKind::camera, error.what());
        return false;
    }
}

void Grabber::run() noexcept {
    set_up_this_thread(request_);
    ring_->set_producer_state(HostState::ready, "");
    if (arm()) {
        start_clock();
        grab_until_stopped();
    }
    disarm();
    if (ring_->producer_state() != HostState::failed) ring_->set_producer_state(HostState::finished, "");
}

void Grabber::grab_until_stopped() noexcept {
    while (!ring_->stop_requested()) {
        lend_slots();
        const GrabStatus status = grab_one();
        if (status == GrabStatus::finished) return;
        if (status == GrabStatus::disconnected && !lose()) return;
    }
}

void Grabber::lend_slots() noexcept {
    while (static_cast<int>(lent_.size()) < std::max(camera_->depth(), 1)) {
        // With none at all there is nothing to grab into; with some, more can wait.
        const int slot = ring_->acquire(lent_.empty() ? wait_ns : 0);
        if (slot < 0) return;
        lent_.push_back(slot);
        camera_->lend(slot, ring_->buffer(slot));
    }
}

GrabStatus Grabber::grab_one() noexcept {
    if (now_ns() >= next_clock_reading_ns_) read_clock();
    if (lent_.empty()) return GrabStatus::timeout;
    FrameMeta meta;
    const Grab grab = camera_->grab(meta, wait_ns);
    if (grab.status == GrabStatus::frame) publish(grab.slot, meta);
    if (grab.status == GrabStatus::failed) take_failed(grab.slot, meta);
    return grab.status;
}

void Grabber::publish(int slot, FrameMeta& meta) noexcept {
    count(meta);
    stamp(meta);
    take_back(slot);
    ring_->publish(slot, meta);
}

void Grabber::take_failed(int slot, FrameMeta& meta) noexcept {
    count(meta);
    stamp_failed(meta);
    ring_->note_failed(meta);
    if (slot < 0) return;
    take_back(slot);
    ring_->release(slot);
}

void Grabber::count(FrameMeta& meta) noexcept {
    if (meta.camera_counter < 0) return;
    if (came_back_) {
        counter_offset_ = last_counter_ + 1 - meta.camera_counter;
        meta.flags |= frame_counter_reset;
        came_back_ = false;
    }
    meta.camera_counter += counter_offset_;
    last_counter_ = meta.camera_counter;
}

void Grabber::take_back(int slot) noexcept { std::erase(lent_, slot); }

void Grabber::disarm() noexcept {
    camera_->disarm();
    for (const int slot : lent_) ring_->release(slot);
    lent_.clear();
}

bool Grabber::lose() noexcept {
    const std::string text = "camera '" + name_ + "' disconnected: check its cable and power";
    if (!reconnect_) {
        fail(FaultKind::camera_disconnected, text.c_str());
        return false;
    }
    ring_->set_producer_state(HostState::lost, text.c_str());
    if (on_lost_) on_lost_();
    disarm();
    return get_back();
}

bool Grabber::get_back() noexcept {
    for (std::int64_t next_ns = now_ns(); !ring_->stop_requested(); sleep_until_ns(now_ns() + wait_ns)) {
        if (now_ns() < next_ns) continue;
        try {
            lend_slots();
            camera_->arm();
            came_back_ = true;
            start_clock();
            ring_->set_producer_state(HostState::ready, "");
            return true;
        } catch (const std::exception&) {  // not there yet
            disarm();
            next_ns = now_ns() + retry_ns;
        }
    }
    return false;
}

void Grabber::start_clock() noexcept {
    before_ = ring_->clock();
    clock_ = ClockFit();
    const CameraInfo& info = camera_->info();
    // A camera that keeps up its rate reads a frame out in one period at most.
    const auto period_ns = info.rate_hz > 0 ? static_cast<std::int64_t>(1e9 / info.rate_hz) : 0;
    clock_.set_delay(info.exposure_ns, period_ns);
    next_ptp_reading_ns_ = 0;
    for (int i = 0; i < clock_readings_at_start; ++i) read_clock();
    clock_period_ns_ = first_clock_period_ns;
    next_clock_reading_ns_ = now_ns() + clock_period_ns_;
}

void Grabber::stamp(FrameMeta& meta) noexcept {
    if (meta.camera_timestamp_ns != 0) clock_.add_frame(meta.camera_timestamp_ns, meta.received_ns);
    ExposureTime exposure = clock_.exposure(meta.camera_timestamp_ns, meta.received_ns);
    if (clock_.suspect() && (exposure.went_back || now_ns() >= next_hasty_reading_ns_)) {
        next_hasty_reading_ns_ = now_ns() + hasty_period_ns;
        read_clock();
        exposure = clock_.exposure(meta.camera_timestamp_ns, meta.received_ns);
    }
    meta.exposure_start_ns = exposure.start_ns;
    meta.exposure_error_ns = exposure.error_ns;
    if (!exposure.fitted) meta.flags |= frame_clock_unfitted;
}

// Little may be known of it, and when it arrived says nothing.
void Grabber::stamp_failed(FrameMeta& meta) const noexcept {
    if (meta.camera_timestamp_ns == 0 || !clock_.fitted()) return;
    meta.exposure_start_ns = clock_.to_host_ns(meta.camera_timestamp_ns);
    meta.exposure_error_ns = clock_.stated_error_ns(meta.camera_timestamp_ns);
}

void Grabber::read_clock() noexcept {
    next_clock_reading_ns_ = now_ns() + clock_period_ns_;
    clock_period_ns_ = std::min(2 * clock_period_ns_, clock_period_ns);
    for (int i = 0; i < clock_readings_in_doubt && (i == 0 || clock_.suspect()); ++i) {
        ClockPair pair;
        if (!camera_->latch_clock(pair)) break;
        clock_.add(pair.host_before_ns, pair.camera_ns, pair.host_after_ns);
    }
    report_clock();
}

void Grabber::report_clock() noexcept {
    if (now_ns() >= next_ptp_reading_ns_) {
        next_ptp_reading_ns_ = now_ns() + ptp_period_ns;
        ptp_ = camera_->ptp_state();
    }
    ClockReport report = clock_.report();
    report.readings += before_.readings;
    report.outliers += before_.outliers;
    report.restarts += before_.restarts;
    set_ptp(report, ptp_);
    ring_->set_clock(report);
}

}  // namespace fastpose
