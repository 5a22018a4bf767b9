// Hosted lines; how they work is told in Note [hosted lines] of the header.
#include "output/hosted_lines.h"

#include <array>
#include <atomic>
#include <cstdio>
#include <mutex>
#include <new>
#include <utility>

#include "base/error.h"
#include "base/shared_event.h"

namespace fastpose {

// Plain memory: zero is the initial state of every field.
struct HostedLinesLayout {
    // Level and sequence in one word, so that neither is seen without the other.
    struct Line {
        alignas(64) std::atomic<std::uint64_t> command;  // sequence * 2 + high
        std::atomic<std::uint64_t> answer;               // sequence * 2 + written
        std::uint32_t safe_high;
    };
    std::uint32_t magic;
    std::int32_t creator_pid, count;
    std::atomic<std::int32_t> state;
    SharedEvent commanded, answered;
    std::array<Line, HostedLines::max_lines> lines;
    std::array<char, 256> why;
};

namespace {

constexpr std::uint32_t lines_magic = 0x46504C31;  // "FPL1"
enum State : std::int32_t { awaited = 0, serving = 1, ended = 2 };

}  // namespace

HostedLines::HostedLines(SharedMemory memory) noexcept
    : memory_(std::move(memory)),
      layout_(std::launder(reinterpret_cast<HostedLinesLayout*>(memory_.data()))) {}

HostedLines::~HostedLines() = default;

std::unique_ptr<HostedLines> HostedLines::create(const std::string& name,
                                                 const std::vector<bool>& safe_high) {
    if (safe_high.empty() || safe_high.size() > max_lines)
        throw OutputError("outputs: " + std::to_string(safe_high.size()) +
                          " lines on one device; allowed: 1 to " + std::to_string(max_lines));
    std::unique_ptr<HostedLines> made(new HostedLines(SharedMemory::create(name, sizeof(HostedLinesLayout))));
    HostedLinesLayout* layout = new (made->memory_.data()) HostedLinesLayout{};
    made->layout_ = layout;
    layout->creator_pid = this_process_id();
    layout->count = static_cast<std::int32_t>(safe_high.size());
    for (std::size_t i = 0; i < safe_high.size(); ++i) layout->lines[i].safe_high = safe_high[i] ? 1 : 0;
    layout->magic = lines_magic;
    return made;
}

std::unique_ptr<HostedLines> HostedLines::attach(const std::string& name) {
    std::unique_ptr<HostedLines> made(new HostedLines(SharedMemory::attach(name)));
    if (made->memory_.size() < sizeof(HostedLinesLayout) || made->layout_->magic != lines_magic)
        throw DeviceError("shared memory '" + name + "' holds no output lines of this version");
    return made;
}

int HostedLines::size() const noexcept { return layout_->count; }

bool HostedLines::safe_high(int line) const noexcept {
    return layout_->lines[static_cast<std::size_t>(line)].safe_high != 0;
}

bool HostedLines::write(int index, bool high, std::int64_t timeout_ns) noexcept {
    const std::lock_guard lock(mutex_);
    auto& line = layout_->lines[static_cast<std::size_t>(index)];
    const std::uint64_t sequence = line.command.load() / 2 + 1;
    line.command.store(sequence * 2 + (high ? 1 : 0));
    layout_->commanded.notify();
    if (layout_->state.load() == awaited) return true;
    const auto done = [&] { return line.answer.load() / 2 >= sequence || layout_->state.load() == ended; };
    if (!wait_for(layout_->answered, timeout_ns, done)) {
        std::snprintf(layout_->why.data(), layout_->why.size(), "its process did not answer within %lld ms",
                      static_cast<long long>(timeout_ns / 1'000'000));
        return false;
    }
    return line.answer.load() == sequence * 2 + 1;
}

std::string HostedLines::error() const {
    const std::lock_guard lock(mutex_);
    return layout_->why[0] == '\0' ? "no write has failed" : std::string(layout_->why.data());
}

void HostedLines::serve() noexcept { layout_->state.store(serving); }

void HostedLines::end(const char* why) noexcept {
    std::snprintf(layout_->why.data(), layout_->why.size(), "%s", why);
    layout_->state.store(ended);
    layout_->answered.notify();
}

bool HostedLines::pending(LineCommand& command) const noexcept {
    for (int index = 0; index < size(); ++index) {
        const auto& line = layout_->lines[static_cast<std::size_t>(index)];
        const std::uint64_t word = line.command.load();
        if (word / 2 == line.answer.load() / 2) continue;
        command = {index, word % 2 == 1, word / 2};
        return true;
    }
    return false;
}

bool HostedLines::next(LineCommand& command, std::int64_t timeout_ns) noexcept {
    return wait_for(layout_->commanded, timeout_ns, [&] { return pending(command); });
}

void HostedLines::answer(const LineCommand& command, bool written, const char* why) noexcept {
    if (!written) std::snprintf(layout_->why.data(), layout_->why.size(), "%s", why);
    layout_->lines[static_cast<std::size_t>(command.line)].answer.store(command.sequence * 2 +
                                                                        (written ? 1 : 0));
    layout_->answered.notify();
}

bool HostedLines::creator_alive() const noexcept { return process_alive(layout_->creator_pid); }

HostedOutput::HostedOutput(std::shared_ptr<HostedLines> lines, int line, std::string description,
                           int timeout_ms)
    : lines_(std::move(lines)),
      line_(line),
      description_(std::move(description)),
      timeout_ns_(timeout_ms * std::int64_t{1'000'000}) {
    if (line < 0 || line >= lines_->size())
        throw OutputError("line " + std::to_string(line) + ": the device has " +
                          std::to_string(lines_->size()) + " lines");
}

bool HostedOutput::write(bool high) noexcept { return lines_->write(line_, high, timeout_ns_); }

}  // namespace fastpose
