// Lines beside the loop; how they work is told in Note [beside] of the header.
#include "output/beside_lines.h"

#include <array>
#include <cstdio>
#include <mutex>
#include <new>
#include <utility>

#include "base/clock.h"
#include "base/error.h"
#include "base/shared_event.h"
#include "base/thread.h"

namespace fastpose {

namespace {

// Single producer, single consumer; plain memory, zero is empty.
template <typename Record>
struct SharedQueue {
    alignas(64) std::atomic<std::uint64_t> head;
    alignas(64) std::atomic<std::uint64_t> tail;
    std::array<Record, BesideLines::capacity> records;

    bool push(const Record& record) noexcept {
        const std::uint64_t at = head.load(std::memory_order_relaxed);
        if (at - tail.load(std::memory_order_acquire) == records.size()) return false;
        records[at % records.size()] = record;
        head.store(at + 1, std::memory_order_release);
        return true;
    }
    bool pop(Record& record) noexcept {
        const std::uint64_t at = tail.load(std::memory_order_relaxed);
        if (at == head.load(std::memory_order_acquire)) return false;
        record = records[at % records.size()];
        tail.store(at + 1, std::memory_order_release);
        return true;
    }
    [[nodiscard]] int size() const noexcept { return static_cast<int>(head.load() - tail.load()); }
};

constexpr std::uint32_t beside_magic = 0x46504231;  // "FPB1"
constexpr std::int64_t look_ns = 100'000'000;

}  // namespace

struct BesideLayout {
    std::uint32_t magic;
    std::int32_t creator_pid, count;
    std::atomic<std::int32_t> goodbye, ended;
    SharedEvent commanded, answered;
    std::atomic<std::uint64_t> sequence;
    SharedQueue<BesideCommand> commands;
    SharedQueue<BesideAnswer> answers;
    std::array<std::uint32_t, BesideLines::max_lines> safe_high;
    std::array<char, 256> why;
};

BesideLines::BesideLines(SharedMemory memory) noexcept
    : memory_(std::move(memory)), layout_(std::launder(reinterpret_cast<BesideLayout*>(memory_.data()))) {}

BesideLines::~BesideLines() = default;

std::unique_ptr<BesideLines> BesideLines::create(const std::string& name,
                                                 const std::vector<bool>& safe_high) {
    if (safe_high.empty() || safe_high.size() > max_lines)
        throw OutputError("outputs: " + std::to_string(safe_high.size()) +
                          " lines of one driver; allowed: 1 to " + std::to_string(max_lines));
    std::unique_ptr<BesideLines> made(new BesideLines(SharedMemory::create(name, sizeof(BesideLayout))));
    BesideLayout* layout = new (made->memory_.data()) BesideLayout{};
    made->layout_ = layout;
    layout->creator_pid = this_process_id();
    layout->count = static_cast<std::int32_t>(safe_high.size());
    for (std::size_t i = 0; i < safe_high.size(); ++i) layout->safe_high[i] = safe_high[i] ? 1 : 0;
    layout->magic = beside_magic;
    return made;
}

std::unique_ptr<BesideLines> BesideLines::attach(const std::string& name) {
    std::unique_ptr<BesideLines> made(new BesideLines(SharedMemory::attach(name)));
    if (made->memory_.size() < sizeof(BesideLayout) || made->layout_->magic != beside_magic)
        throw DeviceError("shared memory '" + name + "' holds no output lines of this version");
    return made;
}

int BesideLines::size() const noexcept { return layout_->count; }

bool BesideLines::safe_high(int line) const noexcept {
    return layout_->safe_high[static_cast<std::size_t>(line)] != 0;
}

// --- engine ---

bool BesideLines::give(BesideCommand command) noexcept {
    const std::lock_guard lock(mutex_);
    if (ended()) return false;
    command.sequence = ++layout_->sequence;
    command.given_ns = now_ns();
    if (!layout_->commands.push(command)) {
        std::snprintf(layout_->why.data(), layout_->why.size(),
                      "its process is too slow: %d commands wait for it", capacity);
        return false;
    }
    layout_->commanded.notify();
    return true;
}

bool BesideLines::take_answer(BesideAnswer& answer, std::int64_t timeout_ns) noexcept {
    bool got = false;
    wait_for(layout_->answered, timeout_ns, [&] {
        got = layout_->answers.pop(answer);
        return got || ended();
    });
    return got;
}

void BesideLines::say_goodbye() noexcept {
    layout_->goodbye.store(1);
    layout_->commanded.notify();
}

int BesideLines::waiting() const noexcept { return layout_->commands.size(); }

std::string BesideLines::error() const {
    const std::lock_guard lock(mutex_);
    return layout_->why[0] == '\0' ? "no write has failed" : std::string(layout_->why.data());
}

// --- host ---

void BesideLines::end(const char* why) noexcept {
    if (layout_->why[0] == '\0') std::snprintf(layout_->why.data(), layout_->why.size(), "%s", why);
    layout_->ended.store(1);
    layout_->answered.notify();
}

bool BesideLines::ended() const noexcept { return layout_->ended.load() != 0; }

bool BesideLines::next(BesideCommand& command, std::int64_t timeout_ns) noexcept {
    bool got = false;
    wait_for(layout_->commanded, timeout_ns, [&] {
        got = layout_->commands.pop(command);
        return got || layout_->goodbye.load() != 0;
    });
    return got;
}

void BesideLines::answer(const BesideCommand& command, bool written, const char* why) noexcept {
    if (!written) std::snprintf(layout_->why.data(), layout_->why.size(), "%s", why);
    layout_->answers.push({command.sequence, now_ns(), command.line, command.high, written ? 1 : 0, 0});
    layout_->answered.notify();
}

bool BesideLines::goodbye() const noexcept {
    return layout_->goodbye.load() != 0 || !process_alive(layout_->creator_pid);
}

// --- the engine's thread ---

BesideDevice::BesideDevice(std::shared_ptr<BesideLines> lines)
    : lines_(std::move(lines)), listeners_(static_cast<std::size_t>(lines_->size())) {
    thread_ = std::thread([this] { run(); });
}

BesideDevice::~BesideDevice() {
    lines_->say_goodbye();
    stop_ = true;
    thread_.join();
}

void BesideDevice::listen(int line, OutputListener* listener) noexcept {
    const std::lock_guard calls(call_mutex_);
    listeners_[static_cast<std::size_t>(line)] = listener;
}

void BesideDevice::run() noexcept {
    set_up_this_thread({.name = "fp-beside"});
    BesideAnswer answer;
    while (!stop_) {
        if (lines_->take_answer(answer, look_ns)) {
            take(answer);
        } else if (lines_->ended()) {
            return fail();
        }
    }
}

void BesideDevice::take(const BesideAnswer& answer) noexcept {
    if (answer.written == 0) return fail();
    const std::lock_guard calls(call_mutex_);
    OutputListener* listener = listeners_[static_cast<std::size_t>(answer.line)];
    if (listener != nullptr) listener->confirmed(answer.high != 0, answer.stamp_ns);
}

void BesideDevice::fail() noexcept {
    if (stop_) return;
    const std::lock_guard calls(call_mutex_);
    for (OutputListener* listener : listeners_)
        if (listener != nullptr) listener->failed();
}

// --- one line ---

BesideOutput::BesideOutput(std::shared_ptr<BesideDevice> device, int line, std::string description,
                           bool analogue)
    : device_(std::move(device)), line_(line), description_(std::move(description)), analogue_(analogue) {
    if (line < 0 || line >= device_->lines().size())
        throw OutputError("line " + std::to_string(line) + ": the device has " +
                          std::to_string(device_->lines().size()) + " lines");
}

bool BesideOutput::write(bool high) noexcept {
    return device_->lines().give({.line = line_, .high = high ? 1 : 0});
}

bool BesideOutput::write_value(float value) noexcept {
    return analogue_ &&
           device_->lines().give({.line = line_, .high = value > 0 ? 1 : 0, .valued = 1, .value = value});
}

}  // namespace fastpose
