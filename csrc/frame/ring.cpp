// The frame ring; how it works is told in Note [ring] of the header.
#include "frame/ring.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <new>

#include "base/error.h"
#include "frame/ring_layout.h"

namespace fastpose {
namespace {

constexpr std::size_t page = 4096;
constexpr std::size_t round_up(std::size_t bytes) { return (bytes + page - 1) / page * page; }
// A gap of more frames than this in the camera's counter is counted, but gets no row for each.
constexpr std::int64_t longest_listed_gap = 1000;
// How often a producer that waits for a consumer looks whether the process of the consumer still lives.
constexpr std::int64_t patience_ns = 100'000'000;

// Slots that the recorder must leave.
int reserved(const RingSpec& spec) { return Ring::reserved_slots + std::max(spec.producer_slots, 1) - 1; }

void check(const RingSpec& spec) {
    if (spec.slots <= reserved(spec) || spec.slots > max_slots)
        throw ConfigError("ring_slots = " + std::to_string(spec.slots) + ": allowed are " +
                          std::to_string(reserved(spec) + 1) + " to " + std::to_string(max_slots));
    if (spec.record_taken && !spec.loop)
        throw ConfigError("record_taken: a ring that no loop takes frames from has none to record");
    if (spec.width <= 0 || spec.height <= 0)
        throw ConfigError("frame size " + std::to_string(spec.width) + " x " + std::to_string(spec.height) +
                          ": both must be positive");
}

// Bytes of one (luma) row, and of the whole frame.
std::int64_t stride_of(const RingSpec& spec) {
    return spec.stride_bytes > 0 ? spec.stride_bytes
                                 : static_cast<std::int64_t>(row_bytes(spec.format, spec.width));
}
std::size_t bytes_of(const RingSpec& spec) {
    const std::size_t dense = frame_bytes(spec.format, spec.width, spec.height);
    const std::size_t row = row_bytes(spec.format, spec.width);
    return row == 0 ? dense : dense / row * static_cast<std::size_t>(stride_of(spec));
}

void set(HostStatus& status, HostState state, const char* text) noexcept {
    std::snprintf(status.text.data(), status.text.size(), "%s", text == nullptr ? "" : text);
    status.state.store(static_cast<std::int32_t>(state));
}

}  // namespace

Ring::Ring(SharedMemory memory) noexcept
    : memory_(std::move(memory)), layout_(std::launder(reinterpret_cast<RingLayout*>(memory_.data()))) {}

Ring::~Ring() = default;

std::unique_ptr<Ring> Ring::create(const std::string& name, const RingSpec& spec) {
    check(spec);
    const std::size_t slot_bytes = round_up(
        std::max(bytes_of(spec), static_cast<std::size_t>(std::max<std::int64_t>(spec.buffer_bytes, 0))));
    const std::size_t offset = round_up(sizeof(RingLayout));
    std::unique_ptr<Ring> ring(
        new Ring(SharedMemory::create(name, offset + slot_bytes * static_cast<std::size_t>(spec.slots))));
    RingLayout* layout = new (ring->memory_.data()) RingLayout{};
    ring->layout_ = layout;
    layout->creator_pid = this_process_id();
    layout->spec = spec;
    layout->slot_bytes = slot_bytes;
    layout->pixels_offset = offset;
    layout->mailbox.store(-1);
    layout->last_counter = -1;
    layout->recorder_enabled.store(spec.recorder ? 1 : 0);
    layout->magic = ring_magic;
    return ring;
}

std::unique_ptr<Ring> Ring::attach(const std::string& name) {
    SharedMemory memory = SharedMemory::attach(name);
    std::unique_ptr<Ring> ring(new Ring(std::move(memory)));
    if (ring->memory_.size() < sizeof(RingLayout) || ring->layout_->magic != ring_magic)
        throw DeviceError("shared memory '" + name + "' holds no frame ring of this version");
    return ring;
}

RingSpec Ring::spec() const noexcept { return layout_->spec; }
std::size_t Ring::slot_bytes() const noexcept { return bytes_of(layout_->spec); }
std::size_t Ring::buffer_bytes() const noexcept { return layout_->slot_bytes; }

std::span<std::uint8_t> Ring::pixels(int slot) const noexcept { return buffer(slot).first(slot_bytes()); }

std::span<std::uint8_t> Ring::buffer(int slot) const noexcept {
    std::byte* start =
        memory_.data() + layout_->pixels_offset + layout_->slot_bytes * static_cast<std::size_t>(slot);
    return {reinterpret_cast<std::uint8_t*>(start), buffer_bytes()};
}

const FrameMeta& Ring::meta(int slot) const noexcept {
    return layout_->slots[static_cast<std::size_t>(slot)].meta;
}

FrameView Ring::view(int slot) const noexcept {
    const RingSpec& spec = layout_->spec;
    return {pixels(slot).data(), spec.width, spec.height, static_cast<std::ptrdiff_t>(stride_of(spec)),
            spec.format};
}

void Ring::release(int slot) noexcept {
    if (layout_->slots[static_cast<std::size_t>(slot)].references.fetch_sub(1) == 1)
        layout_->slot_event.notify();
}

int Ring::acquire(std::int64_t timeout_ns) noexcept {
    int found = -1;
    const auto search = [&] {
        if (stop_requested()) return true;
        const int slots = layout_->spec.slots;
        for (int k = 0; k < slots; ++k) {
            const int slot = (layout_->search_from + k) % slots;
            std::int32_t expected = 0;
            if (!layout_->slots[static_cast<std::size_t>(slot)].references.compare_exchange_strong(expected,
                                                                                                   1))
                continue;
            layout_->search_from = (slot + 1) % slots;
            found = slot;
            return true;
        }
        return false;
    };
    wait_for(layout_->slot_event, timeout_ns, search);
    return found;
}

std::int64_t Ring::publish(int slot, const FrameMeta& meta) noexcept {
    Slot& target = layout_->slots[static_cast<std::size_t>(slot)];
    target.meta = meta;
    target.meta.frame_id = layout_->next_frame_id++;
    count_exposure(meta);
    const std::int64_t frame_id = target.meta.frame_id;
    layout_->published.fetch_add(1);
    // The loop first: a recorder that is woken may take this core from a producer of normal priority.
    if (layout_->spec.loop)
        offer_to_loop(slot);
    else
        note(target.meta, Fate::not_looped);
    if (!layout_->spec.record_taken && !offer_to_recorder(slot)) note(target.meta, Fate::not_recorded);
    release(slot);
    return frame_id;
}

// Note [Unnumbered frames]: a frame whose beginning is lost failed without a number, and the next one that
// has a number shows a gap: it is the same exposure. So such a failure waits for that number and takes the
// first of the gap; without a gap, or at the end, it is noted as it is.
void Ring::note_failed(const FrameMeta& meta) noexcept {
    layout_->failed.fetch_add(1);
    const auto waiting = static_cast<std::size_t>(layout_->unnumbered_count);
    if (meta.camera_counter < 0 && layout_->last_counter >= 0 && waiting < layout_->unnumbered.size()) {
        layout_->unnumbered[waiting] = meta;
        ++layout_->unnumbered_count;
        return;
    }
    count_exposure(meta);
    note(meta, Fate::failed);
}

void Ring::count_exposure(const FrameMeta& meta) noexcept {
    if (meta.camera_counter < 0) return;
    const std::int64_t last = meta.camera_counter - 1;
    std::int64_t first = layout_->last_counter >= 0 ? layout_->last_counter + 1 : last + 1;
    if (layout_->unnumbered_count > 0) first = number_failed(first, last);
    if (first <= last) note_missing(first, last);
    layout_->last_counter = meta.camera_counter;
}

// Returns the first number of the gap that is left.
std::int64_t Ring::number_failed(std::int64_t first, std::int64_t last) noexcept {
    for (int i = 0; i < layout_->unnumbered_count && first <= last; ++i)
        layout_->unnumbered[static_cast<std::size_t>(i)].camera_counter = first++;
    note_unnumbered();
    return first;
}

void Ring::note_unnumbered() noexcept {
    for (int i = 0; i < layout_->unnumbered_count; ++i)
        note(layout_->unnumbered[static_cast<std::size_t>(i)], Fate::failed);
    layout_->unnumbered_count = 0;
}

bool Ring::offer_to_recorder(int slot) noexcept {
    if (layout_->recorder_enabled.load() == 0) return true;
    const int room = layout_->spec.slots - reserved(layout_->spec);
    const auto has_room = [&] { return layout_->recorder_queue.size() < room || stop_requested(); };
    if (layout_->spec.policy == FramePolicy::every) {
        while (!wait_for(layout_->slot_event, patience_ns, has_room)) {
            if (layout_->recorder_enabled.load() == 0) return true;
            if (!creator_alive()) break;
        }
    }
    if (layout_->recorder_queue.size() >= room) {
        layout_->not_recorded.fetch_add(1);
        return false;
    }
    layout_->slots[static_cast<std::size_t>(slot)].references.fetch_add(1);
    layout_->recorder_queue.push(slot);
    layout_->recorder_event.notify();
    return true;
}

void Ring::offer_to_loop(int slot) noexcept {
    const auto taken = [&] { return layout_->mailbox.load() < 0 || stop_requested(); };
    if (layout_->spec.policy == FramePolicy::every)
        while (!wait_for(layout_->slot_event, patience_ns, taken) && creator_alive()) {
        }
    layout_->slots[static_cast<std::size_t>(slot)].references.fetch_add(1);
    const std::int32_t old = layout_->mailbox.exchange(slot);
    layout_->frame_event.notify();
    if (old < 0) return;
    layout_->superseded.fetch_add(1);
    note(meta(old), Fate::superseded);
    release(old);
}

void Ring::note(const FrameMeta& meta, Fate fate) noexcept {
    if (!layout_->ledger.push({meta, fate, 0})) layout_->ledger_lost.fetch_add(1);
}

void Ring::note_missing(std::int64_t first, std::int64_t last) noexcept {
    layout_->missing.fetch_add(last - first + 1);
    for (std::int64_t counter = first; counter <= std::min(last, first + longest_listed_gap - 1); ++counter) {
        FrameMeta meta;
        meta.camera_counter = counter;
        note(meta, Fate::missing);
    }
}

int Ring::take(std::int64_t timeout_ns) noexcept {
    int slot = -1;
    wait_for(layout_->frame_event, timeout_ns, [&] {
        slot = layout_->mailbox.exchange(-1);
        return slot >= 0 || producer_ended();
    });
    if (slot >= 0) layout_->slot_event.notify();
    return slot;
}

bool Ring::frame_waits() const noexcept { return layout_->mailbox.load(std::memory_order_relaxed) >= 0; }

bool Ring::record_taken(int slot) noexcept {
    if (!layout_->spec.record_taken) return true;
    const bool recorded = offer_to_recorder(slot);
    layout_->handed_on.fetch_add(1);
    return recorded;
}

void Ring::pass_over(int slot) noexcept {
    layout_->superseded.fetch_add(1);
    release(slot);
}

int Ring::recorder_next(std::int64_t timeout_ns) noexcept {
    std::int32_t slot = -1;
    wait_for(layout_->recorder_event, timeout_ns,
             [&] { return layout_->recorder_queue.pop(slot) || producer_ended(); });
    if (slot >= 0) layout_->slot_event.notify();
    return slot;
}

void Ring::set_recorder_progress(std::int64_t recorded, int waiting) noexcept {
    layout_->recorded.store(recorded);
    layout_->recorder_waiting.store(waiting);
}

void Ring::disable_recorder() noexcept {
    layout_->recorder_enabled.store(0);
    layout_->recorder_waiting.store(0);
    for (std::int32_t slot = -1; layout_->recorder_queue.pop(slot);) {
        layout_->not_recorded.fetch_add(1);
        release(slot);
    }
}

bool Ring::next_ledger_entry(LedgerEntry& entry) noexcept { return layout_->ledger.pop(entry); }

RingCounts Ring::counts() const noexcept {
    return {.published = layout_->published.load(),
            .superseded = layout_->superseded.load(),
            .not_recorded = layout_->not_recorded.load(),
            .missing = layout_->missing.load(),
            .failed = layout_->failed.load(),
            .ledger_lost = layout_->ledger_lost.load(),
            .times_lost = layout_->times_lost.load(),
            .recorded = layout_->recorded.load(),
            .recorder_queue = layout_->recorder_queue.size() + layout_->recorder_waiting.load(),
            .recorder_waiting = layout_->recorder_waiting.load()};
}

std::int64_t Ring::times_lost() const noexcept { return layout_->times_lost.load(); }

void Ring::set_producer_state(HostState state, const char* text) noexcept {
    if (state == HostState::lost && producer_state() != HostState::lost) layout_->times_lost.fetch_add(1);
    if (state != HostState::starting && state != HostState::ready) note_unnumbered();
    set(layout_->producer, state, text);
    wake();
}
void Ring::set_clock(const ClockReport& report) noexcept { layout_->clock.store(report); }
ClockReport Ring::clock() const noexcept { return layout_->clock.load(); }
void Ring::set_recorder_state(HostState state, const char* text) noexcept {
    set(layout_->recorder, state, text);
}
HostState Ring::producer_state() const noexcept {
    return static_cast<HostState>(layout_->producer.state.load());
}
HostState Ring::recorder_state() const noexcept {
    return static_cast<HostState>(layout_->recorder.state.load());
}
std::string Ring::producer_text() const { return layout_->producer.text.data(); }
std::string Ring::recorder_text() const { return layout_->recorder.text.data(); }

void Ring::start() noexcept {
    layout_->started.store(1);
    layout_->slot_event.notify();
}
bool Ring::wait_started(std::int64_t timeout_ns) noexcept {
    return wait_for(layout_->slot_event, timeout_ns,
                    [&] { return layout_->started.load() != 0 || stop_requested(); }) &&
           !stop_requested();
}
void Ring::request_stop() noexcept {
    layout_->stop.store(1);
    layout_->slot_event.notify();
    wake();
}
bool Ring::stop_requested() const noexcept { return layout_->stop.load() != 0; }

void Ring::note_armed() noexcept {
    layout_->armed.store(1);
    layout_->slot_event.notify();
}
bool Ring::wait_armed(std::int64_t timeout_ns) noexcept {
    return wait_for(layout_->slot_event, timeout_ns, [&] { return layout_->armed.load() != 0; });
}

bool Ring::producer_ended() const noexcept {
    const HostState state = producer_state();
    return state == HostState::finished || state == HostState::failed;
}
bool Ring::loop_drained() const noexcept { return producer_ended() && layout_->mailbox.load() < 0; }
bool Ring::recorder_drained() const noexcept {
    if (!producer_ended()) return false;
    const bool all_offered =
        !layout_->spec.record_taken ||
        layout_->handed_on.load() + layout_->superseded.load() == layout_->published.load();
    return all_offered && layout_->recorder_queue.size() == 0;
}
bool Ring::creator_alive() const noexcept { return process_alive(layout_->creator_pid); }
void Ring::wake() noexcept {
    layout_->frame_event.notify();
    layout_->recorder_event.notify();
}

}  // namespace fastpose
