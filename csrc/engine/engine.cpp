// Life of a session: arm, start, wait, stop.
#include "engine/engine.h"

#include <algorithm>
#include <cstddef>

#include "base/clock.h"
#include "base/error.h"

namespace fastpose {
namespace {

constexpr std::int64_t poll_ns = 100'000'000;
constexpr std::int64_t drain_timeout_ns = 2'000'000'000;
constexpr int grabber_priority = 60, pipeline_priority = 50;
constexpr std::size_t page = 4096, stack_pages = 64;

// A new stack has no memory yet: each page of it would be a fault in the loop.
void touch_stack() noexcept {
    volatile std::byte room[stack_pages * page];
    for (std::size_t at = 0; at < sizeof room; at += page) room[at] = std::byte{0};
}

}  // namespace

Engine::Engine(EngineParts parts)
    : parts_(std::move(parts)),
      priority_(parts_.realtime.fifo && paced() ? pipeline_priority : 0, realtime_limits()) {
    if (parts_.cameras.empty()) throw ConfigError("an engine needs at least one camera");
    if (parts_.loop_camera < 0 || parts_.loop_camera >= static_cast<int>(parts_.cameras.size()))
        throw ConfigError("loop_camera = " + std::to_string(parts_.loop_camera) + ": there are " +
                          std::to_string(parts_.cameras.size()) + " cameras");
    faults_.on_first([this] {
        if (parts_.interlock) parts_.interlock->to_safe();
        ended_event_.notify();
    });
    if (!parts_.pipeline) return;
    const PipelineParts& pipeline = *parts_.pipeline;
    if (parts_.log) sink_ = std::make_unique<PipelineSink>(pipeline.individuals, pipeline.bodyparts);
    if (parts_.pose_feed) feed_ = std::make_unique<PoseFeed>(pipeline.individuals, pipeline.bodyparts);
    pipeline_ = std::make_unique<Pipeline>(pipeline, sink_.get(), &faults_);
}

Engine::~Engine() { stop(); }

bool Engine::paced() const noexcept {
    // With every frame wanted the loop may fill its core whatever the camera's rate.
    const auto index = static_cast<std::size_t>(parts_.loop_camera);
    return index < parts_.cameras.size() && parts_.cameras[index].ring->spec().policy == FramePolicy::newest;
}

Ring& Engine::loop_ring() const noexcept {
    return *parts_.cameras[static_cast<std::size_t>(parts_.loop_camera)].ring;
}

void Engine::open_log() {
    std::vector<CameraLog> logs;
    logs.reserve(parts_.cameras.size());
    for (const CameraPart& camera : parts_.cameras) logs.push_back({camera.ring, camera.log});
    writer_ = std::make_unique<SessionWriter>(logs, parts_.loop_camera, parts_.pose_log, parts_.event_log,
                                              sink_.get(), parts_.interlock.get(), faults_);
    writer_->start(parts_.realtime.other_cpus);
}

void Engine::arm() {
    if (parts_.log) open_log();
    if (parts_.interlock) parts_.interlock->arm();
    for (const CameraPart& camera : parts_.cameras) {
        if (!camera.driver) {
            grabbers_.push_back(nullptr);
            continue;
        }
        const ThreadRequest thread{"fp-grab-" + camera.name, parts_.realtime.other_cpus,
                                   parts_.realtime.fifo ? grabber_priority : 0};
        grabbers_.push_back(std::make_unique<Grabber>(camera.name, camera.driver, camera.ring, faults_,
                                                      thread, camera.reconnect));
        grabbers_.back()->start();
    }
}

void Engine::start() {
    if (pipeline_)
        start_loop();
    else
        loop_ended_.store(true);
    // The networks are warm and all threads there: what is locked now is what the loop works with.
    if (parts_.realtime.lock_memory) memory_grant_ = lock_memory();
    for (const CameraPart& camera : parts_.cameras) camera.ring->start();
}

void Engine::start_loop() {
    loop_ = std::thread([this] { run_pipeline(); });
    while (!wait_for(ended_event_, poll_ns, [this] { return loop_granted_.load(); })) {
    }
}

void Engine::run_pipeline() noexcept {
    set_up_loop();
    Ring& ring = loop_ring();
    FrameWait wait(ring);
    while (!stopping_.load(std::memory_order_relaxed)) {
        wait.allow_spin(std::min(priority_.spin_ns(), parts_.realtime.spin_ns));
        const int slot = wait.take(poll_ns);
        watch_camera();
        if (slot >= 0)
            process(slot, wait);
        else if (ring.loop_drained())
            break;
    }
    loop_ended_.store(true);
    ended_event_.notify();
}

void Engine::set_up_loop() noexcept {
    touch_stack();
    loop_grant_ = set_up_this_thread({"fp-pipeline", parts_.realtime.loop_cpus, 0});
    const double rate_hz = parts_.realtime.rate_hz;
    const std::int64_t work_ns = parts_.pipeline->estimator->warm_up();
    // A runtime that places its threads lets the one that called it run anywhere afterwards.
    loop_is_moved_ = loop_grant_.affinity && !keeps_to(parts_.realtime.loop_cpus);
    stay_on_core();
    priority_.start(work_ns, rate_hz > 0 ? static_cast<std::int64_t>(1e9 / rate_hz) : 0);
    loop_grant_.realtime = priority_.timing().fifo == Fifo::granted;
    loop_granted_.store(true);
    ended_event_.notify();
}

void Engine::stay_on_core() noexcept {
    if (loop_is_moved_) keep_to(parts_.realtime.loop_cpus);
}

// While the loop's camera is gone the outputs are safe; when it is back, commands pass again.
void Engine::watch_camera() noexcept {
    const bool lost = loop_ring().producer_state() == HostState::lost;
    if (lost == camera_lost_ || !parts_.interlock) return;
    camera_lost_ = lost;
    if (lost) return parts_.interlock->to_safe();
    try {
        if (!ending_.load() && !faults_.raised()) parts_.interlock->arm();
    } catch (const std::exception& error) {
        faults_.post(FaultKind::output, error.what());
    }
    if (ending_.load() || faults_.raised()) parts_.interlock->to_safe();
}

void Engine::process(int slot, FrameWait& wait) noexcept {
    Ring& ring = loop_ring();
    FrameRecord record{};
    record.dequeued_ns = now_ns();
    if (!ring.record_taken(slot)) record.drop_reason = static_cast<std::int32_t>(DropReason::recorder);
    pipeline_->process(ring.view(slot), ring.meta(slot), record);
    ring.release(slot);
    newest_exposure_ns_.store(record.exposure_start_ns, std::memory_order_relaxed);
    if (feed_) feed_->push(record, pipeline_->rule_bits(), pipeline_->filtered());
    watch_outputs();
    stay_on_core();
    wait.note_received(record.received_ns);
    priority_.after_frame(record.dequeued_ns, now_ns(), wait.spun_ns(), wait.caught());
}

void Engine::watch_outputs() noexcept {
    if (!parts_.interlock || parts_.interlock->faulty_line() < 0 || faults_.raised()) return;
    faults_.post(FaultKind::output, parts_.interlock->fault_message().c_str());
}

bool Engine::drained() const noexcept {
    if (!loop_ended_.load()) return false;
    for (const CameraPart& camera : parts_.cameras) {
        const HostState state = camera.ring->producer_state();
        if (state != HostState::finished && state != HostState::failed) return false;
    }
    return true;
}

bool Engine::wait(std::int64_t timeout_ns) noexcept {
    const std::int64_t deadline = now_ns() + timeout_ns;
    for (;;) {
        watch_outputs();
        const std::int64_t left = std::min(deadline - now_ns(), poll_ns);
        if (wait_for(ended_event_, std::max<std::int64_t>(left, 0),
                     [this] { return faults_.raised() || drained(); }))
            return true;
        if (now_ns() >= deadline) return false;
    }
}

void Engine::end_sources() noexcept {
    for (const CameraPart& camera : parts_.cameras) camera.ring->request_stop();
}

void Engine::stop() noexcept {
    ending_.store(true);
    if (parts_.interlock) parts_.interlock->to_safe();
    end_sources();
    for (auto& grabber : grabbers_)
        if (grabber) grabber->join();
    // The loop takes what still lies in the ring, so that every frame has its row; outputs are safe already.
    if (loop_.joinable()) wait_for(ended_event_, drain_timeout_ns, [this] { return loop_ended_.load(); });
    stopping_.store(true);
    for (const CameraPart& camera : parts_.cameras) camera.ring->wake();
    if (loop_.joinable()) loop_.join();
    if (feed_) feed_->close();
    if (writer_) writer_->finish();
    if (memory_grant_.present && !memory_released_.exchange(true)) unlock_memory();
}

EdgeResult Engine::command(const OutputCommand& command) noexcept {
    if (!parts_.interlock) return {.refused = true};
    return parts_.interlock->apply(command, EdgeCause::user);
}

EngineSnapshot Engine::snapshot() const {
    EngineSnapshot shot;
    const RingCounts counts = parts_.cameras[static_cast<std::size_t>(parts_.loop_camera)].ring->counts();
    shot.published = counts.published;
    shot.dropped_ring = counts.superseded;
    shot.dropped_camera = counts.missing;
    shot.dropped_recorder = counts.not_recorded;
    shot.dropped_transport = counts.failed;
    shot.times_lost = counts.times_lost;
    shot.recorder_queue = counts.recorder_queue;
    shot.newest_exposure_ns = newest_exposure_ns_.load(std::memory_order_relaxed);
    shot.lost_records = writer_ ? writer_->lost() : 0;
    shot.feed_dropped = feed_ ? feed_->dropped() : 0;
    if (pipeline_) {
        shot.processed = pipeline_->processed();
        shot.late = pipeline_->late();
        shot.rules = pipeline_->rule_bits();
        const PipelineLatencies& latencies = pipeline_->latencies();
        shot.exposure_to_decided = latencies.exposure_to_decided.summary();
        shot.exposure_to_acted = latencies.exposure_to_acted.summary();
        shot.dequeued_to_decided = latencies.dequeued_to_decided.summary();
    }
    for (int i = 0; parts_.interlock && i < parts_.interlock->size(); ++i)
        shot.outputs.push_back(parts_.interlock->line(i).high() ? 1 : 0);
    return shot;
}

}  // namespace fastpose
