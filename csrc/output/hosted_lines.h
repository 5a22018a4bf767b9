// Lines that a process of its own moves, for devices whose library only Python has: commands and answers in
// shared memory.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/shared_memory.h"
#include "output/output.h"
#include "output/priority_mutex.h"

namespace fastpose {

// One level that the host is to write.
struct LineCommand {
    int line = -1;
    bool high = false;
    std::uint64_t sequence = 0;  // of this line, from 1
};

struct HostedLinesLayout;  // what lies in the shared memory; see the source

// Note [hosted lines]: The engine writes a level and waits for the host's answer, so that the stamp of an
// edge is taken when the device has it. Before the host serves, a level is only noted: the host carries out
// what was noted before it says that it is ready. The safe levels lie in the block too: the host writes them
// when the engine's process is gone.
//
// One host and one engine; on the engine's side thread-safe. No function but the constructors and error()
// throws or allocates.
class HostedLines {
  public:
    static constexpr int max_lines = 16;

    // Throws OutputError (count) or DeviceError (memory).
    static std::unique_ptr<HostedLines> create(const std::string& name, const std::vector<bool>& safe_high);
    static std::unique_ptr<HostedLines> attach(const std::string& name);
    ~HostedLines();

    [[nodiscard]] const std::string& name() const noexcept { return memory_.name(); }
    [[nodiscard]] int size() const noexcept;
    [[nodiscard]] bool safe_high(int line) const noexcept;

    // --- engine ---
    // True when the host says that the device has the level; false if it failed or timeout_ns passed.
    [[nodiscard]] bool write(int line, bool high, std::int64_t timeout_ns) noexcept;
    // Why the last write failed.
    [[nodiscard]] std::string error() const;

    // --- host ---
    void serve() noexcept;               // from now on each write waits for its answer
    void end(const char* why) noexcept;  // from now on each write fails at once
    // The next level that was not answered, false after timeout_ns.
    [[nodiscard]] bool next(LineCommand& command, std::int64_t timeout_ns) noexcept;
    // `why` is kept for error() where the write failed.
    void answer(const LineCommand& command, bool written, const char* why) noexcept;
    [[nodiscard]] bool creator_alive() const noexcept;

  private:
    explicit HostedLines(SharedMemory memory) noexcept;
    [[nodiscard]] bool pending(LineCommand& command) const noexcept;

    SharedMemory memory_;
    HostedLinesLayout* layout_;
    mutable PriorityMutex mutex_;  // the pipeline and the timer write, one at a time
};

// One of the lines. Its writes block until the host has answered, at most timeout_ms.
class HostedOutput final : public OutputDriver {
  public:
    HostedOutput(std::shared_ptr<HostedLines> lines, int line, std::string description, int timeout_ms = 100);

    [[nodiscard]] bool write(bool high) noexcept override;
    [[nodiscard]] std::string description() const override { return description_; }
    [[nodiscard]] std::string error() const override { return lines_->error(); }

  private:
    std::shared_ptr<HostedLines> lines_;
    int line_;
    std::string description_;
    std::int64_t timeout_ns_;
};

}  // namespace fastpose
