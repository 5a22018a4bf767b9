// Never on the path of a loop: loops only push into queues.
#include "engine/session_writer.h"

#include "base/clock.h"
#include "base/thread.h"
#include "engine/edge_record.h"
#include "engine/frame_record.h"

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
    FrameRecord record = frame_record_of(entry.meta);
    record.drop_reason = static_cast<std::int32_t>(reason_of(entry.fate));
    return record;
}

}  // namespace

SessionWriter::SessionWriter(const std::vector<CameraLog>& cameras, const LogSpec& events,
                             Interlock* interlock, FaultSlot& faults)
    : interlock_(interlock), faults_(faults) {
    for (const CameraLog& camera : cameras) cameras_.push_back(open(camera));
    events_ = std::make_unique<LogFile>(events.path, events.header_json, sizeof(EventRecord));
}

SessionWriter::Camera SessionWriter::open(const CameraLog& log) {
    Camera camera{log.ring, log.sink, nullptr, nullptr, {}};
    camera.frames = std::make_unique<LogFile>(log.frames.path, log.frames.header_json, sizeof(FrameRecord));
    if (log.sink == nullptr) return camera;
    const std::size_t bytes = log.sink->poses.record_bytes();
    camera.poses = std::make_unique<LogFile>(log.poses.path, log.poses.header_json, bytes);
    camera.scratch.resize(bytes);
    return camera;
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
    std::int64_t lost = 0;
    for (const Camera& camera : cameras_)
        lost += camera.ring->counts().ledger_lost + (camera.sink == nullptr ? 0 : camera.sink->lost());
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
    for (std::size_t i = 0; i < cameras_.size(); ++i)
        if (cameras_[i].sink != nullptr) drain_sink(i);
}

void SessionWriter::drain_sink(std::size_t camera) noexcept {
    Camera& mine = cameras_[camera];
    FrameRecord frame;
    while (mine.sink->frames.pop(&frame)) mine.frames->append(&frame);
    EventRecord event;
    while (mine.sink->events.pop(&event)) {
        event.camera = static_cast<std::int32_t>(camera);
        events_->append(&event);
    }
    while (mine.sink->poses.pop(mine.scratch.data())) mine.poses->append(mine.scratch.data());
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
        EventRecord record = event_record_of(event);
        events_->append(&record);
    }
}

void SessionWriter::flush(bool to_disk) noexcept {
    for (Camera& camera : cameras_) {
        flush(*camera.frames, to_disk);
        if (camera.poses) flush(*camera.poses, to_disk);
    }
    flush(*events_, to_disk);
}

void SessionWriter::flush(LogFile& file, bool to_disk) noexcept {
    if (to_disk ? file.sync() : file.flush()) return;
    faults_.post(FaultKind::record,
                 (file.error() + "; free space there or set session.directory to another disk").c_str());
}

}  // namespace fastpose
