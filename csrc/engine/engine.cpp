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
constexpr std::int64_t armed_timeout_ns = 10'000'000'000;  // a camera over a network may take seconds
constexpr std::int64_t drivers_timeout_ns = 500'000'000;
constexpr std::int64_t last_frames_ns = 50'000'000;  // from the last exposure to its frame in memory
constexpr int grabber_priority = 60, pipeline_priority = 50;

bool ended(const Ring& ring) noexcept {
    const HostState state = ring.producer_state();
    return state == HostState::finished || state == HostState::failed;
}

void check_set(const EngineParts& parts) {
    for (const int camera : parts.set.cameras)
        if (camera < 0 || camera >= static_cast<int>(parts.cameras.size()) ||
            !parts.cameras[static_cast<std::size_t>(camera)].pipeline)
            throw ConfigError("set.cameras has " + std::to_string(camera) +
                              ": allowed are cameras with a pipeline");
}

void check(const EngineParts& parts) {
    if (parts.cameras.empty()) throw ConfigError("an engine needs at least one camera");
    if (parts.acting_camera < 0 || parts.acting_camera >= static_cast<int>(parts.cameras.size()))
        throw ConfigError("acting_camera = " + std::to_string(parts.acting_camera) + ": there are " +
                          std::to_string(parts.cameras.size()) + " cameras");
    check_set(parts);
}

}  // namespace

Engine::Engine(EngineParts parts) : parts_(std::move(parts)) {
    check(parts_);
    faults_.on_first([this] {
        end_outputs();
        ended_event_.notify();
    });
    make_sinks();
    make_loops();
    for (const CameraPart& camera : parts_.cameras)
        if (camera.pipeline) camera.pipeline->estimator->use_ring(camera.ring);
}

Engine::~Engine() { stop(); }

// --- loops ---

void Engine::make_sinks() {
    sinks_.resize(parts_.cameras.size());
    feeds_.resize(parts_.cameras.size());
    held_.resize(parts_.cameras.size());
    places_.resize(parts_.cameras.size());
    for (std::size_t i = 0; i < parts_.cameras.size(); ++i) {
        if (!parts_.cameras[i].pipeline) continue;
        const PipelineParts& pipeline = *parts_.cameras[i].pipeline;
        if (parts_.log) sinks_[i] = std::make_unique<PipelineSink>(pipeline.individuals, pipeline.bodyparts);
        if (parts_.pose_feed)
            feeds_[i] = std::make_unique<PoseFeed>(pipeline.individuals, pipeline.bodyparts);
        if (parts_.hold_frames) held_[i] = std::make_unique<HeldFrame>(parts_.cameras[i].ring);
    }
}

std::size_t Engine::acting() const noexcept {
    const auto& cameras = parts_.cameras;
    const auto asked = static_cast<std::size_t>(parts_.acting_camera);
    if (cameras[asked].pipeline) return asked;
    const auto found = std::find_if(cameras.begin(), cameras.end(),
                                    [](const CameraPart& c) { return c.pipeline != nullptr; });
    return found == cameras.end() ? asked : static_cast<std::size_t>(found - cameras.begin());
}

// The cameras of each loop, that of the acting camera first.
std::vector<std::vector<int>> Engine::shares() const {
    std::vector<std::vector<int>> found;
    const auto& set = parts_.set.cameras;
    if (!set.empty()) found.push_back(set);
    for (int i = 0; i < static_cast<int>(parts_.cameras.size()); ++i)
        if (parts_.cameras[static_cast<std::size_t>(i)].pipeline &&
            std::find(set.begin(), set.end(), i) == set.end())
            found.push_back({i});
    const int first = static_cast<int>(acting());
    const auto acts = std::find_if(found.begin(), found.end(), [first](const std::vector<int>& share) {
        return std::find(share.begin(), share.end(), first) != share.end();
    });
    if (acts != found.end()) std::rotate(found.begin(), acts, acts + 1);
    return found;
}

void Engine::make_loops() {
    for (const std::vector<int>& cameras : shares()) make_loop(cameras);
}

void Engine::make_loop(const std::vector<int>& cameras) {
    loops_.push_back(std::make_unique<Loop>(loop_spec(cameras), set_pipeline(cameras), parts_.interlock.get(),
                                            faults_, ended_event_));
    for (std::size_t k = 0; k < cameras.size(); ++k)
        places_[static_cast<std::size_t>(cameras[k])] = {loops_.back().get(), k};
}

LoopSpec Engine::loop_spec(const std::vector<int>& cameras) {
    const bool first = loops_.empty();
    const CameraPart& front = parts_.cameras[static_cast<std::size_t>(cameras.front())];
    const RealtimeRequest& realtime = parts_.realtime;
    LoopSpec spec;
    spec.acts = first;
    spec.thread_name = first ? "fp-pipeline" : "fp-loop-" + front.name;
    spec.match = parts_.set.match;
    spec.cpus = first ? realtime.loop_cpus : realtime.other_cpus;
    spec.priority = first && realtime.fifo && paced(cameras) ? pipeline_priority : 0;
    spec.spin_ns = first ? realtime.spin_ns : 0;
    spec.rate_hz = front.rate_hz;
    for (const int camera : cameras) {
        const auto i = static_cast<std::size_t>(camera);
        spec.cameras.push_back({parts_.cameras[i].ring, sinks_[i].get(), feeds_[i].get(), held_[i].get()});
    }
    return spec;
}

bool Engine::paced(const std::vector<int>& cameras) const noexcept {
    // With every frame wanted the loop may fill its core whatever the camera's rate.
    return std::all_of(cameras.begin(), cameras.end(), [this](int camera) {
        const RingSpec spec = parts_.cameras[static_cast<std::size_t>(camera)].ring->spec();
        return spec.policy == FramePolicy::newest;
    });
}

SetPipeline Engine::set_pipeline(const std::vector<int>& cameras) {
    const bool is_set = cameras == parts_.set.cameras;
    SetPipelineParts parts;
    if (is_set) parts.batch = parts_.set.batch;
    for (const int camera : cameras) {
        const auto i = static_cast<std::size_t>(camera);
        parts.pipelines.push_back(
            std::make_unique<Pipeline>(*parts_.cameras[i].pipeline, sinks_[i].get(), &faults_));
    }
    return SetPipeline(std::move(parts), is_set && parts_.set.reads_all);
}

bool Engine::loops_ended() const noexcept {
    return std::all_of(loops_.begin(), loops_.end(), [](const auto& loop) { return loop->ended(); });
}

// --- arm and start ---

void Engine::open_log() {
    std::vector<CameraLog> logs;
    for (std::size_t i = 0; i < parts_.cameras.size(); ++i) {
        const CameraPart& camera = parts_.cameras[i];
        logs.push_back({camera.ring, camera.log, camera.pose_log, sinks_[i].get()});
    }
    writer_ = std::make_unique<SessionWriter>(logs, parts_.event_log, parts_.interlock.get(), faults_);
    writer_->start(parts_.realtime.other_cpus);
}

void Engine::arm() {
    if (parts_.log) open_log();
    if (parts_.interlock) parts_.interlock->arm();
    for (std::size_t i = 0; i < parts_.cameras.size(); ++i) {
        const CameraPart& camera = parts_.cameras[i];
        if (!camera.driver) {
            grabbers_.push_back(nullptr);
            continue;
        }
        const ThreadRequest thread{"fp-grab-" + camera.name, parts_.realtime.other_cpus,
                                   parts_.realtime.fifo ? grabber_priority : 0};
        grabbers_.push_back(std::make_unique<Grabber>(camera.name, camera.driver, camera.ring, faults_,
                                                      thread, camera.reconnect, when_lost(i)));
        grabbers_.back()->start();
    }
}

// The loop would see it within a tenth of a second.
std::function<void()> Engine::when_lost(std::size_t camera) const {
    const bool acts = !loops_.empty() && places_[camera].loop == loops_.front().get();
    if (!acts || !parts_.interlock) return {};
    return [interlock = parts_.interlock] { interlock->to_safe(); };
}

void Engine::start() {
    for (const auto& loop : loops_) loop->start();
    // The networks are warm and all threads there: what is locked now is what the loop works with.
    if (parts_.realtime.lock_memory) memory_grant_ = lock_memory();
    started_ = true;
    start_followers();
    if (faults_.raised()) return;
    for (const CameraPart& camera : parts_.cameras)
        if (!camera.follower) camera.ring->start();
}

void Engine::start_followers() noexcept {
    for (const CameraPart& camera : parts_.cameras)
        if (camera.follower) camera.ring->start();
    for (const CameraPart& camera : parts_.cameras)
        if (camera.follower) wait_until_armed(camera);
}

void Engine::wait_until_armed(const CameraPart& camera) noexcept {
    const std::int64_t deadline = now_ns() + armed_timeout_ns;
    while (now_ns() < deadline)
        if (camera.ring->wait_armed(poll_ns) || ended(*camera.ring) || faults_.raised()) return;
    faults_.post(FaultKind::camera, ("camera '" + camera.name +
                                     "' waits for triggers, and was not ready for them "
                                     "within 10 s; the cameras that trigger it were not started")
                                        .c_str());
}

// --- wait and stop ---

bool Engine::drained() const noexcept {
    return loops_ended() && std::all_of(parts_.cameras.begin(), parts_.cameras.end(),
                                        [](const CameraPart& camera) { return ended(*camera.ring); });
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

bool Engine::protocol_finished() const noexcept {
    return std::any_of(loops_.begin(), loops_.end(),
                       [](const auto& loop) { return loop->protocol_finished(); });
}

void Engine::watch_outputs() noexcept {
    if (!parts_.interlock || parts_.interlock->faulty_line() < 0 || faults_.raised()) return;
    faults_.post(FaultKind::output, parts_.interlock->fault_message().c_str());
}

bool Engine::has_followers() const noexcept {
    return std::any_of(parts_.cameras.begin(), parts_.cameras.end(), [](const CameraPart& camera) {
        return camera.follower && !ended(*camera.ring) && !camera.ring->stop_requested();
    });
}

void Engine::request_stop(bool followers) noexcept {
    for (const CameraPart& camera : parts_.cameras)
        if (camera.follower == followers) camera.ring->request_stop();
}

void Engine::wait_for_drivers() noexcept {
    const std::int64_t deadline = now_ns() + drivers_timeout_ns;
    for (const CameraPart& camera : parts_.cameras)
        while (!camera.follower && !ended(*camera.ring) && now_ns() < deadline)
            sleep_until_ns(now_ns() + poll_ns / 50);
    sleep_until_ns(now_ns() + last_frames_ns);
}

void Engine::end_sources() noexcept {
    request_stop(false);
    if (started_ && has_followers()) wait_for_drivers();
    request_stop(true);
}

void Engine::stop() noexcept {
    for (const auto& loop : loops_) loop->keep_safe();
    end_outputs();
    end_sources();
    for (auto& grabber : grabbers_)
        if (grabber) grabber->join();
    // The loops take what still lies in the rings, so that every frame has its row; outputs are safe already.
    wait_for(ended_event_, drain_timeout_ns, [this] { return loops_ended(); });
    for (const auto& loop : loops_) loop->stop();
    for (const auto& loop : loops_) loop->join();
    for (const CameraPart& camera : parts_.cameras) camera.ring->wake();
    for (const auto& feed : feeds_)
        if (feed) feed->close();
    if (writer_) writer_->finish();
    if (memory_grant_.present && !memory_released_.exchange(true)) unlock_memory();
}

void Engine::end_outputs() noexcept {
    std::int64_t never = 0;
    outputs_ended_ns_.compare_exchange_strong(never, now_ns());
    if (parts_.interlock) parts_.interlock->to_safe();
}

// --- what one can ask ---

EdgeResult Engine::command(const OutputCommand& command) noexcept {
    if (!parts_.interlock) return {.refused = true};
    return parts_.interlock->apply(command, EdgeCause::user);
}

CameraSnapshot Engine::snapshot_of(std::size_t camera) const {
    CameraSnapshot shot;
    const RingCounts counts = parts_.cameras[camera].ring->counts();
    shot.published = counts.published;
    shot.dropped_ring = counts.superseded;
    shot.dropped_camera = counts.missing;
    shot.dropped_recorder = counts.not_recorded;
    shot.dropped_transport = counts.failed;
    shot.times_lost = counts.times_lost;
    shot.recorder_queue = counts.recorder_queue;
    shot.feed_dropped = feeds_[camera] ? feeds_[camera]->dropped() : 0;
    if (places_[camera].loop == nullptr) return shot;
    const Pipeline& pipeline = places_[camera].loop->pipeline(places_[camera].camera);
    shot.processed = pipeline.processed();
    shot.unmatched = pipeline.unmatched();
    shot.late = pipeline.late();
    shot.expected_work_ns = pipeline.expected_work_ns();
    shot.newest_exposure_ns = pipeline.newest_exposure_ns();
    shot.exposure_to_decided = pipeline.latencies().exposure_to_decided.summary();
    shot.exposure_to_acted = pipeline.latencies().exposure_to_acted.summary();
    shot.dequeued_to_decided = pipeline.latencies().dequeued_to_decided.summary();
    return shot;
}

EngineSnapshot Engine::snapshot() const {
    EngineSnapshot shot;
    static_cast<CameraSnapshot&>(shot) = snapshot_of(acting());
    shot.lost_records = writer_ ? writer_->lost() : 0;
    shot.outputs_ended_ns = outputs_ended_ns_;
    for (std::size_t i = 0; i < parts_.cameras.size(); ++i) {
        shot.cameras.push_back(snapshot_of(i));
        if (places_[i].loop != nullptr)
            shot.rules |= places_[i].loop->pipeline(places_[i].camera).rule_bits();
    }
    for (int i = 0; parts_.interlock && i < parts_.interlock->size(); ++i)
        shot.outputs.push_back(parts_.interlock->line(i).high() ? 1 : 0);
    return shot;
}

}  // namespace fastpose
