// The host's side of our firmware; how it works is told in Note [firmware] of the header.
#include "output/firmware_device.h"

#include <fastpose_firmware/wire.h>
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <mutex>
#include <span>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"
#include "base/record_queue.h"

namespace fastpose {
namespace {

namespace wire = fastpose_wire;

constexpr std::int64_t ms = 1'000'000;
constexpr std::int64_t ask_again_ns = 250 * ms, repeat_ns = 25 * ms, quick_beat_ns = 4 * ms;
constexpr std::int64_t longest_wait_ns = 10 * ms;
constexpr int most_tries = 5, quick_beats = 16;
constexpr std::int64_t device_tick_ns = 4'000;  // of micros() on the slowest boards

std::string_view bytes_of(const wire::FrameWriter& frame) {
    return {reinterpret_cast<const char*>(frame.data()), frame.size()};
}

}  // namespace

// What the thread alone knows, and the constructor before it.
struct FirmwareDevice::Talk {
    wire::FrameReader reader;
    ClockFit fit;
    std::uint8_t sequence = 0;  // of all but sets
    std::array<std::int64_t, 256> beat_sent_ns{};
    int beats = 0;
    std::int64_t next_beat_ns = 0, heard_ns = 0;
    RecordQueue edges{sizeof(InputEdge), 4096};
};

// --- set-up ---

FirmwareDevice::FirmwareDevice(std::shared_ptr<SerialPort> port, FirmwareSpec spec)
    : port_(std::move(port)),
      spec_(std::move(spec)),
      talk_(std::make_unique<Talk>()),
      lines_(spec_.lines.size()) {
    open();
    thread_ = std::thread([this] { run(); });
}

FirmwareDevice::~FirmwareDevice() {
    stop_ = true;
    if (thread_.joinable()) thread_.join();
    if (!failed_ && !port_->write(safe_bytes())) return;  // it goes safe by itself
}

std::string FirmwareDevice::safe_bytes() {
    wire::FrameWriter frame(wire::type_safe, 0);
    frame.finish();
    return std::string("\0", 1) + std::string(bytes_of(frame));  // ends what was cut in the middle
}

void FirmwareDevice::open() {
    const std::int64_t deadline_ns = now_ns() + spec_.open_timeout_ms * ms;
    ask(wire::type_hello, {}, deadline_ns, "hello");
    const int version = talk_->reader.get8(10), lines = talk_->reader.get8(11),
              inputs = talk_->reader.get8(12);
    if (version != wire::version)
        throw OutputError("firmware on " + port_->spec().path + " has version " + std::to_string(version) +
                          " of the protocol, this fastpose has " + std::to_string(wire::version) +
                          "; upload firmware/fastpose_firmware again");
    if (static_cast<int>(spec_.lines.size()) > lines || static_cast<int>(spec_.input_pins.size()) > inputs)
        throw OutputError("firmware on " + port_->spec().path + " has " + std::to_string(lines) +
                          " lines and " + std::to_string(inputs) + " inputs; the config uses more");
    for (std::size_t i = 0; i < spec_.lines.size(); ++i) {
        const FirmwareLineSpec& line = spec_.lines[i];
        const auto flags =
            (line.safe_high ? wire::line_safe_high : 0) | (line.analogue ? wire::line_analogue : 0);
        const auto limit =
            static_cast<std::uint32_t>(std::min<std::int64_t>(line.max_on_ns / ms, 0xFFFFFFFF));
        std::vector<std::uint8_t> payload{static_cast<std::uint8_t>(i), static_cast<std::uint8_t>(line.pin),
                                          static_cast<std::uint8_t>(flags)};
        for (int byte = 0; byte < 4; ++byte) payload.push_back(static_cast<std::uint8_t>(limit >> 8 * byte));
        ask(wire::type_setup, payload, deadline_ns, "the set-up of line " + std::to_string(i));
    }
    for (std::size_t i = 0; i < spec_.input_pins.size(); ++i)
        ask(wire::type_watch, {static_cast<std::uint8_t>(i), static_cast<std::uint8_t>(spec_.input_pins[i])},
            deadline_ns, "the set-up of input " + std::to_string(i));
    ask(wire::type_arm,
        {static_cast<std::uint8_t>(spec_.heartbeat_ms & 0xFF),
         static_cast<std::uint8_t>(spec_.heartbeat_ms >> 8)},
        deadline_ns, "arming");
}

// Asks until it is answered.
void FirmwareDevice::ask(std::uint8_t type, const std::vector<std::uint8_t>& payload,
                         std::int64_t deadline_ns, const std::string& what) {
    wire::FrameWriter frame(type, ++talk_->sequence);
    for (const std::uint8_t byte : payload) frame.put8(byte);
    frame.finish();
    std::int64_t again_ns = 0;
    std::array<std::uint8_t, 64> bytes{};
    while (now_ns() < deadline_ns) {
        if (now_ns() >= again_ns) {
            if (!port_->write(std::string("\0", 1)) || !port_->write(bytes_of(frame)))
                throw OutputError("firmware on " + port_->spec().path + ": " + port_->error());
            again_ns = now_ns() + ask_again_ns;
        }
        const int count = port_->read(bytes, longest_wait_ns);
        if (count < 0) throw OutputError("firmware on " + port_->spec().path + ": " + port_->error());
        for (int i = 0; i < count; ++i) {
            if (!talk_->reader.take(bytes[static_cast<std::size_t>(i)])) continue;
            if (talk_->reader.type() != (type | wire::type_reply) ||
                talk_->reader.sequence() != talk_->sequence)
                continue;
            if (talk_->reader.get8(0) == wire::status_ok) return;
            throw OutputError("firmware on " + port_->spec().path + " refuses " + what + " (status " +
                              std::to_string(talk_->reader.get8(0)) + ")");
        }
    }
    throw OutputError("firmware on " + port_->spec().path + " did not answer " + what + " within " +
                      std::to_string(spec_.open_timeout_ms) +
                      " ms; upload firmware/fastpose_firmware, and see that baud is the sketch's");
}

// --- lines ---

bool FirmwareDevice::set(int index, std::uint16_t level) noexcept {
    if (failed_) return false;
    const std::lock_guard lock(mutex_);
    Line& line = lines_[static_cast<std::size_t>(index)];
    const std::uint8_t sequence = ++line.sequence;
    const std::int64_t now = now_ns();
    line.waiting[sequence % room] = {true, sequence, level, now, now, 1};
    return send_set(index, sequence, level);
}

bool FirmwareDevice::send_set(int line, std::uint8_t sequence, std::uint16_t level) noexcept {
    wire::FrameWriter frame(wire::type_set, sequence);
    frame.put8(static_cast<std::uint8_t>(line));
    frame.put16(level);
    frame.finish();
    return port_->write(bytes_of(frame));
}

void FirmwareDevice::listen(int line, OutputListener* listener) noexcept {
    const std::lock_guard calls(call_mutex_);
    lines_[static_cast<std::size_t>(line)].listener = listener;
}

// --- the thread ---

void FirmwareDevice::run() noexcept {
    set_up_this_thread(spec_.thread);
    talk_->heard_ns = now_ns();
    while (!stop_ && !failed_) {
        beat_if_due();
        read_bytes();
        repeat_overdue();
        const std::int64_t patience_ns = 2 * std::max(spec_.heartbeat_ms, 100) * ms;
        if (now_ns() - talk_->heard_ns > patience_ns) fail("the device does not answer any more");
    }
}

void FirmwareDevice::beat_if_due() noexcept {
    const std::int64_t now = now_ns();
    if (now < talk_->next_beat_ns) return;
    const bool quick = talk_->beats < quick_beats;
    talk_->beats += quick ? 1 : 0;
    talk_->next_beat_ns = now + (quick ? quick_beat_ns : spec_.heartbeat_ms * ms / 5);
    wire::FrameWriter frame(wire::type_beat, ++talk_->sequence);
    frame.finish();
    talk_->beat_sent_ns[talk_->sequence] = now_ns();
    if (!port_->write(bytes_of(frame))) fail("the port does not take the heartbeat (unplugged?)");
}

void FirmwareDevice::read_bytes() noexcept {
    std::array<std::uint8_t, 256> bytes;
    const std::int64_t left_ns = talk_->next_beat_ns - now_ns();
    const int count = port_->read(bytes, std::clamp<std::int64_t>(left_ns, 0, longest_wait_ns));
    if (count < 0) return fail("the port is gone (unplugged?)");
    const std::int64_t received_ns = now_ns();
    if (count > 0) talk_->heard_ns = received_ns;
    for (int i = 0; i < count; ++i)
        if (talk_->reader.take(bytes[static_cast<std::size_t>(i)])) take(received_ns);
}

void FirmwareDevice::take(std::int64_t received_ns) noexcept {
    switch (talk_->reader.type()) {
        case wire::type_set | wire::type_reply:
            return take_set_reply(received_ns);
        case wire::type_beat | wire::type_reply:
            return take_beat(received_ns);
        case wire::type_edge:
            return take_edge(received_ns);
        case wire::type_gone_safe:
            return fail(talk_->reader.get8(0) == wire::reason_silence
                            ? "the device heard no heartbeat and went safe by itself"
                            : "the device ended a level that lasted longer than its max_on_ms");
        default:
            return;
    }
}

void FirmwareDevice::take_set_reply(std::int64_t received_ns) noexcept {
    const wire::FrameReader& reply = talk_->reader;
    const std::size_t index = reply.get8(9);
    if (index >= lines_.size()) return;
    Waiting waited;
    {
        const std::lock_guard lock(mutex_);
        Waiting& waiting = lines_[index].waiting[reply.sequence() % room];
        if (!waiting.used || waiting.sequence != reply.sequence()) return;
        waited = waiting;
        waiting.used = false;
    }
    if (reply.get8(0) == wire::status_outdated) return;
    if (reply.get8(0) != wire::status_ok)
        return fail("the device refused a level: it had gone safe by itself");
    const auto device_ns = static_cast<std::int64_t>(reply.get64(1)) * 1000;
    if (waited.tries == 1)
        talk_->fit.add(waited.sent_ns - device_tick_ns, device_ns, received_ns + device_tick_ns);
    const std::int64_t stamp_ns = to_host(device_ns, waited.sent_ns, received_ns);
    const std::lock_guard calls(call_mutex_);
    if (lines_[index].listener != nullptr) lines_[index].listener->confirmed(waited.level > 0, stamp_ns);
}

void FirmwareDevice::take_beat(std::int64_t received_ns) noexcept {
    const std::int64_t sent_ns = talk_->beat_sent_ns[talk_->reader.sequence()];
    if (sent_ns == 0) return;
    const auto device_ns = static_cast<std::int64_t>(talk_->reader.get64(1)) * 1000;
    talk_->fit.add(sent_ns - device_tick_ns, device_ns, received_ns + device_tick_ns);
    const std::lock_guard lock(mutex_);
    clock_ = talk_->fit.report();
}

void FirmwareDevice::take_edge(std::int64_t received_ns) noexcept {
    const wire::FrameReader& told = talk_->reader;
    InputEdge edge;
    edge.input = told.get8(0);
    edge.high = told.get8(1) != 0;
    edge.number = told.get16(2);
    edge.device_ns = static_cast<std::int64_t>(told.get64(4)) * 1000;
    edge.stamp_ns = to_host(edge.device_ns, received_ns - 1'000 * ms, received_ns);
    talk_->edges.push(&edge);  // the gap in the numbers tells of those that found no room
}

bool FirmwareDevice::next_input_edge(InputEdge& edge) noexcept { return talk_->edges.pop(&edge); }

std::int64_t FirmwareDevice::to_host(std::int64_t device_ns, std::int64_t lowest,
                                     std::int64_t highest) const noexcept {
    if (!talk_->fit.fitted()) return highest;
    return std::clamp(talk_->fit.to_host_ns(device_ns), lowest, highest);
}

void FirmwareDevice::repeat_overdue() noexcept {
    for (int line = 0; line < static_cast<int>(lines_.size()) && !failed_; ++line) repeat_overdue(line);
}

// Only the newest: an older one that was lost has been overtaken.
void FirmwareDevice::repeat_overdue(int index) noexcept {
    bool lost = false;
    {
        const std::lock_guard lock(mutex_);
        Line& line = lines_[static_cast<std::size_t>(index)];
        Waiting& newest = line.waiting[line.sequence % room];
        if (!newest.used || now_ns() - newest.repeated_ns < repeat_ns) return;
        newest.repeated_ns = now_ns();
        lost = ++newest.tries > most_tries || !send_set(index, newest.sequence, newest.level);
    }
    ++repeated_;
    if (lost) fail("the device did not confirm a level");
}

// --- what one can ask ---

ClockReport FirmwareDevice::clock() const noexcept {
    const std::lock_guard lock(mutex_);
    return clock_;
}

void FirmwareDevice::fail(const char* why) noexcept {
    if (failed_) return;
    {
        const std::lock_guard lock(mutex_);
        std::snprintf(why_.data(), why_.size(), "%s", why);
    }
    failed_ = true;
    const std::lock_guard calls(call_mutex_);
    for (const Line& line : lines_)
        if (line.listener != nullptr) line.listener->failed();
}

std::string FirmwareDevice::error() const {
    const std::lock_guard lock(mutex_);
    return failed_ ? std::string(why_.data()) : port_->error();
}

// --- one line ---

FirmwareOutput::FirmwareOutput(std::shared_ptr<FirmwareDevice> device, int line)
    : device_(std::move(device)), line_(line) {
    if (line < 0 || line >= static_cast<int>(device_->spec().lines.size()))
        throw OutputError("line " + std::to_string(line) + ": the device was set up with " +
                          std::to_string(device_->spec().lines.size()));
}

bool FirmwareOutput::analogue() const {
    return device_->spec().lines[static_cast<std::size_t>(line_)].analogue;
}

bool FirmwareOutput::write_value(float value) noexcept {
    const float share = std::clamp(value, 0.0F, 1.0F);
    return analogue() && device_->set(line_, static_cast<std::uint16_t>(std::lround(share * 65535)));
}

std::string FirmwareOutput::description() const {
    const FirmwareLineSpec& line = device_->spec().lines[static_cast<std::size_t>(line_)];
    return "pin " + std::to_string(line.pin) + " of the firmware on " + device_->port().spec().path;
}

}  // namespace fastpose
