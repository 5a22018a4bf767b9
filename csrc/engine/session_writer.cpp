// Never on the path of the loop: the loop only pushes into queues.
#include "engine/session_writer.h"

#include "base/clock.h"
#include "base/thread.h"

namespace fastpose {
namespace {

DropReason reason_of(Fate fate) noexcept {
    switch (fate) {
        case Fate::missing:
            return DropReason::camera;
        case Fate::failed:
            return DropReason::transport;
        case Fate::superseded:
            return DropReason::ring;
        case Fate::not_recorded:
            return DropReason::recorder;
        case Fate::unused:
        case Fate::not_looped:
            break;
    }
    return DropReason::none;
}

FrameRecord record_of(const LedgerEntry& entry) noexcept {
    FrameRecord record{};
    record.frame_id = entry.meta.frame_id;
    record.camera_counter = entry.meta.camera_counter;
    record.camera_timestamp_ns = entry.meta.camera_timestamp_ns;
    record.exposure_start_ns = entry.meta.exposure_start_ns;
    record.received_ns = entry.meta.received_ns;
    record.flags = entry.meta.flags;
    record.exposure_error_ns = entry.meta.exposure_error_ns;
    record.drop_reason = static_cast<std::int32_t>(reason_of(entry.fate));
    return record;
}

int flags_of(EdgeCause cause) noexcept {
    switch (cause) {
        case EdgeCause::timer:
            return event_timer;
        case EdgeCause::interlock:
            return event_interlock;
        case EdgeCause::safe:
            return event_safe;
        case EdgeCause::user:
            return event_user;
        case EdgeCause::protocol:
            break;
    }
    return 0;
}

}  // namespace

SessionWriter::SessionWriter(const std::vector<CameraLog>& cameras, int loop_camera, const LogSpec& poses,
                             const LogSpec& events, PipelineSink* sink, Interlock* interlock,
                             FaultSlot& faults)
    : loop_camera_(loop_camera), sink_(sink), interlock_(interlock), faults_(faults) {
    for (const CameraLog& camera : cameras)
        cameras_.push_back(
            {camera.ring,
             std::make_unique<LogFile>(camera.frames.path, camera.frames.header_json, sizeof(FrameRecord))});
    events_ = std::make_unique<LogFile>(events.path, events.header_json, sizeof(EventRecord));
    if (sink_ == nullptr) return;
    poses_ = std::make_unique<LogFile>(poses.path, poses.header_json, sink_->poses.record_bytes());
    scratch_.resize(sink_->poses.record_bytes());
}

SessionWriter::~SessionWriter() { finish(); }

void SessionWriter::start(const std::vector<int>& cpus) {
    next_sync_ns_ = now_ns() + sync_period_ns;
    thread_ = std::thread([this, cpus] { run(cpus); });
}

void SessionWriter::finish() noexcept {
    if (!thread_.joinable()) return;
    stop_.store(true);
    bell_.notify();
    thread_.join();
}

std::int64_t SessionWriter::lost() const noexcept {
    std::int64_t lost = sink_ == nullptr ? 0 : sink_->lost();
    for (const Camera& camera : cameras_) lost += camera.ring->counts().ledger_lost;
    return lost + (interlock_ == nullptr ? 0 : interlock_->events_lost());
}

void SessionWriter::run(const std::vector<int>& cpus) noexcept {
    set_up_this_thread({.name = "fp-writer", .cpus = cpus});
    for (bool last = false; !last;) {
        wait_for(bell_, drain_period_ns, [this] { return stop_.load(); });
        last = stop_.load();
        drain();
        const bool to_disk = last || now_ns() >= next_sync_ns_;
        flush(to_disk);
        if (to_disk) next_sync_ns_ = now_ns() + sync_period_ns;
    }
}

void SessionWriter::drain() noexcept {
    for (Camera& camera : cameras_) drain_ledger(camera);
    if (interlock_ != nullptr) drain_interlock();
    if (sink_ == nullptr) return;
    FrameRecord frame;
    while (sink_->frames.pop(&frame)) cameras_[static_cast<std::size_t>(loop_camera_)].frames->append(&frame);
    EventRecord event;
    while (sink_->events.pop(&event)) events_->append(&event);
    while (sink_->poses.pop(scratch_.data())) poses_->append(scratch_.data());
}

void SessionWriter::drain_ledger(Camera& camera) noexcept {
    LedgerEntry entry;
    while (camera.ring->next_ledger_entry(entry)) {
        FrameRecord record = record_of(entry);
        camera.frames->append(&record);
    }
}

void SessionWriter::drain_interlock() noexcept {
    InterlockEvent event;
    while (interlock_->poll_event(event)) {
        const EventKind kind = event.refused ? EventKind::refused : EventKind::output;
        EventRecord record{-1,
                           event.stamp_ns,
                           0,
                           static_cast<std::int32_t>(kind),
                           event.output,
                           event.high ? 1 : 0,
                           flags_of(event.cause),
                           0,
                           0};
        events_->append(&record);
    }
}

void SessionWriter::flush(bool to_disk) noexcept {
    for (Camera& camera : cameras_) flush(*camera.frames, to_disk);
    flush(*events_, to_disk);
    if (poses_) flush(*poses_, to_disk);
}

void SessionWriter::flush(LogFile& file, bool to_disk) noexcept {
    if (to_disk ? file.sync() : file.flush()) return;
    faults_.post(FaultKind::record,
                 (file.error() + "; free space there or set session.directory to another disk").c_str());
}

}  // namespace fastpose
