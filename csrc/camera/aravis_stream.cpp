// Aravis' two queues hold our slots: one to be filled, one that was.
#include "camera/aravis_stream.h"

#include <algorithm>

#include "base/clock.h"

namespace fastpose::aravis {
namespace {

constexpr std::int64_t ns_per_us = 1000;

// What is asked again, where the camera can: some wait for the answer, then the frame is given up.
constexpr int resend_rounds = 4;

bool is_loopback(ArvCamera* camera) noexcept {
    GSocketAddress* address = arv_gv_device_get_device_address(ARV_GV_DEVICE(arv_camera_get_device(camera)));
    return G_IS_INET_SOCKET_ADDRESS(address) &&
           g_inet_address_get_is_loopback(g_inet_socket_address_get_address(G_INET_SOCKET_ADDRESS(address)));
}

// A packet socket takes frames past the system's UDP, with less work; it needs rights, and hears nothing of
// a loopback.
void choose_socket(ArvCamera* camera, const AravisGige& gige) noexcept {
    const bool packet_socket = gige.packet_socket.value_or(!is_loopback(camera));
    arv_camera_gv_set_stream_options(
        camera, packet_socket ? ARV_GV_STREAM_OPTION_NONE : ARV_GV_STREAM_OPTION_PACKET_SOCKET_DISABLED);
}

void set_up_gige(ArvStream* stream, const AravisGige& gige) noexcept {
    const auto retention_us = static_cast<guint>(gige.frame_retention_ms * 1e3);
    g_object_set(stream, "socket-buffer", ARV_GV_STREAM_SOCKET_BUFFER_FIXED, "socket-buffer-size",
                 static_cast<gint>(gige.socket_buffer_bytes), "frame-retention", retention_us,
                 "packet-timeout", std::max(1U, retention_us / resend_rounds), nullptr);
    if (!gige.resend) g_object_set(stream, "packet-resend", ARV_GV_STREAM_PACKET_RESEND_NEVER, nullptr);
}

std::uint64_t info(ArvStream* stream, const char* name) noexcept {
    for (guint i = 0; i < arv_stream_get_n_infos(stream); ++i)
        if (g_strcmp0(arv_stream_get_info_name(stream, i), name) == 0)
            return arv_stream_get_info_uint64(stream, i);
    return 0;
}

void append(std::string& text, std::uint64_t count, const char* what) {
    if (count > 0) text += ", " + std::to_string(count) + " " + what;
}

}  // namespace

std::int64_t Slot::received_ns() const noexcept {
    // The thread tells after the frame is out of its hands: it may not have come to that yet.
    const std::int64_t told_ns = done_ns.load(std::memory_order_acquire);
    return told_ns > lent_ns ? told_ns : now_ns();
}

Slot& SlotPool::lend(int index, std::span<std::uint8_t> memory) {
    while (static_cast<int>(slots_.size()) <= index) slots_.emplace_back();
    Slot& slot = slots_[static_cast<std::size_t>(index)];
    if (slot.data != memory.data()) {
        slot.index = index;
        slot.data = memory.data();
        slot.buffer.reset(arv_buffer_new_full(memory.size(), memory.data(), &slot, nullptr));
    }
    slot.lent = true;
    slot.lent_ns = now_ns();
    return slot;
}

ArvBuffer* SlotPool::buffer(int index) const noexcept {
    const bool known = index >= 0 && index < static_cast<int>(slots_.size());
    return known ? slots_[static_cast<std::size_t>(index)].buffer.get() : nullptr;
}

void SlotPool::take_all_back() noexcept {
    for (Slot& slot : slots_) slot.lent = false;
}

void Counts::add(const Counts& other) noexcept {
    completed += other.completed;
    failed += other.failed;
    underruns += other.underruns;
    missing_packets += other.missing_packets;
    resend_requests += other.resend_requests;
    resent_packets += other.resent_packets;
    missing_frames += other.missing_frames;
}

std::string Counts::text() const {
    std::string line = std::to_string(completed) + " frames complete";
    append(line, failed, "failed");
    append(line, missing_frames, "without a packet");
    append(line, underruns, "without memory");
    append(line, missing_packets, "packets missing");
    append(line, resend_requests, "asked for again");
    append(line, resent_packets, "sent again");
    return line;
}

Stream::Stream(ArvCamera* camera, const AravisSpec& spec, const std::string& name)
    : thread_(std::make_unique<ThreadState>()) {
    const int priority = realtime_priority_of_this_thread();
    thread_->request = {.name = name, .cpus = {}, .realtime_priority = priority > 0 ? priority + 1 : 0};
    const bool gige = arv_camera_is_gv_device(camera) != FALSE;
    if (gige) choose_socket(camera, spec.gige);
    stream_.reset(ask("stream", arv_camera_create_stream, camera, &Stream::on_event,
                      static_cast<void*>(thread_.get())));
    if (gige) set_up_gige(stream_.get(), spec.gige);
}

void Stream::on_event(void* state, ArvStreamCallbackType type, ArvBuffer* buffer) {
    auto& thread = *static_cast<ThreadState*>(state);
    if (type == ARV_STREAM_CALLBACK_TYPE_INIT)
        thread.realtime.store(set_up_this_thread(thread.request).realtime);
    if (type != ARV_STREAM_CALLBACK_TYPE_BUFFER_DONE || buffer == nullptr) return;
    auto* slot = static_cast<Slot*>(const_cast<void*>(arv_buffer_get_user_data(buffer)));
    slot->done_ns.store(now_ns(), std::memory_order_release);
}

void Stream::push(Slot& slot) noexcept {
    arv_stream_push_buffer(stream_.get(), ARV_BUFFER(g_object_ref(slot.buffer.get())));
}

void Stream::halt() noexcept {
    arv_stream_stop_thread(stream_.get(), TRUE);
    halted_ = true;
}

Stream::~Stream() {
    // Aravis stops the thread itself when it frees the stream, and complains where none runs.
    if (halted_) arv_stream_start_thread(stream_.get());
}

Slot* Stream::pop(std::int64_t timeout_ns) noexcept {
    ArvBuffer* buffer = timeout_ns <= 0 ? arv_stream_try_pop_buffer(stream_.get())
                                        : arv_stream_timeout_pop_buffer(
                                              stream_.get(), static_cast<guint64>(timeout_ns / ns_per_us));
    if (buffer == nullptr) return nullptr;
    auto* slot = static_cast<Slot*>(const_cast<void*>(arv_buffer_get_user_data(buffer)));
    g_object_unref(buffer);  // the pool keeps its own
    slot->lent = false;
    return slot;
}

Counts Stream::counts() const noexcept {
    ArvStream* stream = stream_.get();
    Counts counts;
    guint64 completed = 0, failed = 0, underruns = 0;
    arv_stream_get_statistics(stream, &completed, &failed, &underruns);
    counts.completed = completed;
    counts.failed = failed;
    counts.underruns = underruns;
    counts.missing_packets = info(stream, "n_missing_packets");
    counts.resend_requests = info(stream, "n_resend_requests");
    counts.resent_packets = info(stream, "n_resent_packets");
    counts.missing_frames = info(stream, "n_missing_frames");
    return counts;
}

}  // namespace fastpose::aravis
