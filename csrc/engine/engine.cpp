// Life of a session: arm, start, wait, stop.
#include "engine/engine.h"

#include "base/clock.h"
#include "base/error.h"

namespace fastpose {
namespace {

constexpr std::int64_t poll_ns = 100'000'000;
constexpr std::int64_t drain_timeout_ns = 2'000'000'000;
constexpr int grabber_priority = 60, pipeline_priority = 50;

}  // namespace

Engine::Engine(EngineParts parts) : parts_(std::move(parts)) {
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

int Engine::realtime_priority() const noexcept {
    // With every frame wanted the loop may fill its core, and the kernel then stops SCHED_FIFO threads for 50
    // ms of each second: worse than no priority.
    const bool paced = parts_.cameras[static_cast<std::size_t>(parts_.loop_camera)].ring->spec().policy ==
                       FramePolicy::newest;
    return parts_.realtime && paced ? pipeline_priority : 0;
}

void Engine::open_log() {
    std::vector<CameraLog> logs;
    logs.reserve(parts_.cameras.size());
    for (const CameraPart& camera : parts_.cameras) logs.push_back({camera.ring, camera.log});
    writer_ = std::make_unique<SessionWriter>(logs, parts_.loop_camera, parts_.pose_log, parts_.event_log,
                                              sink_.get(), parts_.interlock.get(), faults_);
    writer_->start();
}

void Engine::arm() {
    if (parts_.log) open_log();
    if (parts_.interlock) parts_.interlock->arm();
    for (const CameraPart& camera : parts_.cameras) {
        if (!camera.driver) {
            grabbers_.push_back(nullptr);
            continue;
        }
        const ThreadRequest thread{"fp-grab-" + camera.name, -1, parts_.realtime ? grabber_priority : 0};
        grabbers_.push_back(
            std::make_unique<Grabber>(camera.name, camera.driver, camera.ring, faults_, thread));
        grabbers_.back()->start();
    }
    if (parts_.realtime) memory_locked_ = lock_memory();
}

void Engine::start() {
    if (pipeline_)
        start_loop();
    else
        loop_ended_.store(true);
    for (const CameraPart& camera : parts_.cameras) camera.ring->start();
}

void Engine::start_loop() {
    loop_ = std::thread([this] { run_pipeline(); });
    while (!wait_for(ended_event_, poll_ns, [this] { return loop_granted_.load(); })) {
    }
}

void Engine::run_pipeline() noexcept {
    loop_grant_ = set_up_this_thread({"fp-pipeline", parts_.cpu, realtime_priority()});
    loop_granted_.store(true);
    ended_event_.notify();
    Ring& ring = *parts_.cameras[static_cast<std::size_t>(parts_.loop_camera)].ring;
    while (!stopping_.load(std::memory_order_relaxed)) {
        const int slot = ring.take(poll_ns);
        if (slot >= 0)
            process(slot);
        else if (ring.loop_drained())
            break;
    }
    loop_ended_.store(true);
    ended_event_.notify();
}

void Engine::process(int slot) noexcept {
    Ring& ring = *parts_.cameras[static_cast<std::size_t>(parts_.loop_camera)].ring;
    FrameRecord record{};
    record.dequeued_ns = now_ns();
    if (!ring.record_taken(slot)) record.drop_reason = static_cast<std::int32_t>(DropReason::recorder);
    pipeline_->process(ring.view(slot), ring.meta(slot), record);
    ring.release(slot);
    newest_exposure_ns_.store(record.exposure_start_ns, std::memory_order_relaxed);
    if (feed_) feed_->push(record, pipeline_->rule_bits(), pipeline_->filtered());
    watch_outputs();
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
