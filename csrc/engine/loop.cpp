// Wait for a set, process it, give its slots back.
#include "engine/loop.h"

#include <algorithm>
#include <cstddef>

#include "base/clock.h"
#include "engine/frame_record.h"

namespace fastpose {
namespace {

constexpr std::int64_t poll_ns = 100'000'000;
constexpr std::size_t page = 4096, stack_pages = 64;

// A new stack has no memory yet: each page of it would be a fault in the loop.
void touch_stack() noexcept {
    volatile std::byte room[stack_pages * page];
    for (std::size_t at = 0; at < sizeof room; at += page) room[at] = std::byte{0};
}

std::vector<std::shared_ptr<Ring>> rings_of(const std::vector<LoopCamera>& cameras) {
    std::vector<std::shared_ptr<Ring>> rings;
    for (const LoopCamera& camera : cameras) rings.push_back(camera.ring);
    return rings;
}

}  // namespace

Loop::Loop(LoopSpec spec, SetPipeline pipelines, Interlock* interlock, FaultSlot& faults, SharedEvent& ended)
    : spec_(std::move(spec)),
      pipelines_(std::move(pipelines)),
      interlock_(interlock),
      faults_(faults),
      bell_(ended),
      sets_(rings_of(spec_.cameras), spec_.match,
            [this](std::size_t camera, int slot) { note_passed_over(camera, slot); }),
      frames_(spec_.cameras.size()),
      priority_(spec_.priority, realtime_limits()) {}

Loop::~Loop() {
    stop();
    join();
}

void Loop::start() {
    ended_.store(false);
    thread_ = std::thread([this] { run(); });
    while (!wait_for(bell_, poll_ns, [this] { return ready_.load(); })) {
    }
}

void Loop::join() noexcept {
    if (!thread_.joinable()) return;
    for (const LoopCamera& camera : spec_.cameras) camera.ring->wake();
    thread_.join();
}

void Loop::run() noexcept {
    set_up();
    while (!stopping_.load(std::memory_order_relaxed)) {
        sets_.allow_spin(std::min(priority_.spin_ns(), spec_.spin_ns));
        const bool taken = sets_.take(longest_wait_ns());
        watch_cameras();
        wake_protocol();
        if (taken)
            process_set();
        else if (sets_.drained())
            break;
    }
    sets_.pass_over_held();
    ended_.store(true);
    bell_.notify();
}

void Loop::set_up() noexcept {
    touch_stack();
    grant_ = set_up_this_thread({spec_.thread_name, spec_.cpus, 0});
    const std::int64_t work_ns = pipelines_.warm_up();
    // A runtime that places its threads lets the one that called it run anywhere afterwards.
    is_moved_ = grant_.affinity && !keeps_to(spec_.cpus);
    stay_on_core();
    priority_.start(work_ns, spec_.rate_hz > 0 ? static_cast<std::int64_t>(1e9 / spec_.rate_hz) : 0);
    grant_.realtime = priority_.timing().fifo == Fifo::granted;
    ready_.store(true);
    bell_.notify();
}

void Loop::stay_on_core() noexcept {
    if (is_moved_) keep_to(spec_.cpus);
}

void Loop::process_set() noexcept {
    const std::int64_t dequeued_ns = now_ns();
    const auto slots = sets_.slots();
    for (std::size_t i = 0; i < slots.size(); ++i) begin(i, slots[i], dequeued_ns);
    pipelines_.process(frames_);
    for (std::size_t i = 0; i < slots.size(); ++i) end(i, slots[i]);
    watch_protocol();
    watch_outputs();
    stay_on_core();
    if (slots.front() >= 0) sets_.note_received(frames_.front().record.received_ns);
    priority_.after_frame(dequeued_ns, now_ns(), sets_.spun_ns(), sets_.caught());
}

void Loop::begin(std::size_t camera, int slot, std::int64_t dequeued_ns) noexcept {
    SetFrame& frame = frames_[camera];
    frame = {};
    if (slot < 0) return;
    Ring& ring = *spec_.cameras[camera].ring;
    frame.view = ring.view(slot);
    frame.meta = &ring.meta(slot);
    frame.record.dequeued_ns = dequeued_ns;
    if (!sets_.complete()) frame.record.flags = frame_unmatched;
    if (!ring.record_taken(slot)) frame.record.drop_reason = static_cast<std::int32_t>(DropReason::recorder);
}

void Loop::end(std::size_t camera, int slot) noexcept {
    if (slot < 0) return;
    const LoopCamera& mine = spec_.cameras[camera];
    Pipeline& pipeline = pipelines_.pipeline(camera);
    if (mine.held != nullptr)
        mine.held->put(slot);
    else
        mine.ring->release(slot);
    if (mine.feed != nullptr)
        mine.feed->push(frames_[camera].record, pipeline.rule_bits(), pipeline.filtered());
}

void Loop::note_passed_over(std::size_t camera, int slot) noexcept {
    const LoopCamera& mine = spec_.cameras[camera];
    FrameRecord record = frame_record_of(mine.ring->meta(slot));
    record.flags |= frame_unmatched;
    record.drop_reason = static_cast<std::int32_t>(DropReason::ring);
    if (mine.sink != nullptr) mine.sink->push_frame(record);
    mine.ring->pass_over(slot);
}

std::int64_t Loop::longest_wait_ns() const noexcept {
    const std::int64_t wakeup_ns = pipelines_.next_wakeup_ns();
    return wakeup_ns == Protocol::never_ns ? poll_ns
                                           : std::clamp<std::int64_t>(wakeup_ns - now_ns(), 0, poll_ns);
}

void Loop::wake_protocol() noexcept {
    if (pipelines_.next_wakeup_ns() == Protocol::never_ns) return;
    pipelines_.wake(now_ns());
    watch_protocol();
}

void Loop::watch_protocol() noexcept {
    if (pipelines_.protocol_finished()) keep_safe();
}

void Loop::watch_outputs() noexcept {
    if (interlock_ == nullptr || interlock_->faulty_line() < 0 || faults_.raised()) return;
    faults_.post(FaultKind::output, interlock_->fault_message().c_str());
}

// While a camera is gone the outputs are safe; when it is back, commands pass again. One that came back
// between two looks counts, too: outputs that were high for a frame of before are low then.
void Loop::watch_cameras() noexcept {
    if (!spec_.acts || interlock_ == nullptr) return;
    const bool lost = std::any_of(spec_.cameras.begin(), spec_.cameras.end(), [](const LoopCamera& camera) {
        return camera.ring->producer_state() == HostState::lost;
    });
    if (const std::int64_t losses = times_lost(); losses != losses_seen_) {
        losses_seen_ = losses;
        camera_lost_ = true;
        interlock_->to_safe();
    }
    if (!camera_lost_ || lost) return;
    camera_lost_ = false;
    come_back();
}

std::int64_t Loop::times_lost() const noexcept {
    std::int64_t losses = 0;
    for (const LoopCamera& camera : spec_.cameras) losses += camera.ring->times_lost();
    return losses;
}

void Loop::come_back() noexcept {
    try {
        if (!ending_.load() && !faults_.raised() && !interlock_->stopped()) interlock_->arm();
    } catch (const std::exception& error) {
        faults_.post(FaultKind::output, error.what());
    }
    if (ending_.load() || faults_.raised()) interlock_->to_safe();
}

}  // namespace fastpose
