// One thread per C++ camera.
#include "engine/grabber.h"

#include "base/clock.h"

namespace fastpose {
namespace {

constexpr std::int64_t ms = 1'000'000;
constexpr std::int64_t wait_ns = 100 * ms;
constexpr std::int64_t clock_period_ns = 250 * ms;
constexpr int clock_readings_at_start = 8;

}  // namespace

Grabber::Grabber(std::string camera_name, std::shared_ptr<Camera> camera, std::shared_ptr<Ring> ring,
                 FaultSlot& faults, ThreadRequest thread)
    : name_(std::move(camera_name)),
      camera_(std::move(camera)),
      ring_(std::move(ring)),
      faults_(faults),
      request_(std::move(thread)) {}

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
        camera_->arm();
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
        for (int i = 0; i < clock_readings_at_start; ++i) read_clock();
        grab_until_stopped();
        camera_->disarm();
    }
    if (ring_->producer_state() != HostState::failed) ring_->set_producer_state(HostState::finished, "");
}

void Grabber::grab_until_stopped() noexcept {
    int slot = -1;
    while (!ring_->stop_requested()) {
        if (slot < 0) slot = ring_->acquire(wait_ns);
        if (slot < 0) continue;
        const GrabStatus status = grab_one(slot);
        if (status == GrabStatus::frame) slot = -1;
        if (status == GrabStatus::finished) break;
        if (status == GrabStatus::disconnected) {
            fail(FaultKind::camera_disconnected,
                 ("camera '" + name_ + "' disconnected: check its cable and power").c_str());
            break;
        }
    }
    if (slot >= 0) ring_->release(slot);
}

GrabStatus Grabber::grab_one(int slot) noexcept {
    if (now_ns() >= next_clock_reading_ns_) read_clock();
    FrameMeta meta;
    const GrabStatus status = camera_->grab(ring_->pixels(slot), meta, wait_ns);
    if (status != GrabStatus::frame) return status;
    if (clock_.fitted()) {
        meta.exposure_start_ns = clock_.to_host_ns(meta.camera_timestamp_ns);
    } else {
        meta.exposure_start_ns = meta.received_ns - camera_->info().exposure_ns;
        meta.flags |= frame_clock_unfitted;
    }
    ring_->publish(slot, meta);
    return status;
}

void Grabber::read_clock() noexcept {
    next_clock_reading_ns_ = now_ns() + clock_period_ns;
    ClockPair pair;
    if (!camera_->latch_clock(pair)) return;
    clock_.add(pair.host_before_ns, pair.camera_ns, pair.host_after_ns);
    drift_ppm_.store(clock_.drift_ppm());
    residual_ns_.store(clock_.residual_ns());
}

}  // namespace fastpose
