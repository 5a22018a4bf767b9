// Lines that a process beside the loop moves, and that nobody waits for: messages, instruments and screens
// whose libraries only Python has, with a bounded queue and a delay of their own.
#pragma once
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/shared_memory.h"
#include "output/output.h"
#include "output/priority_mutex.h"

namespace fastpose {

struct BesideCommand {
    std::uint64_t sequence = 0;
    std::int64_t given_ns = 0;
    std::int32_t line = 0;
    std::int32_t high = 0;    // the level; 1 as well where `value` is above 0
    std::int32_t valued = 0;  // 1: `value` counts
    float value = 0;
};

struct BesideAnswer {
    std::uint64_t sequence = 0;
    std::int64_t stamp_ns = 0;  // when the host had it done
    std::int32_t line = 0, high = 0, written = 0, reserved = 0;
};

struct BesideLayout;  // what lies in the shared memory; see the source

// Note [beside]: The engine gives a command and goes on: the edge is stamped when it is in the queue, and
// confirmed when the host has carried it out. Commands are carried out in order, none is left out. A full
// queue is a failure: the host is so late that nothing on its lines can be relied on. When the engine's
// process is gone the host makes its lines safe.
//
// One host and one engine; on the engine's side thread-safe. Nothing but the constructors and error() throws
// or allocates.
class BesideLines {
  public:
    static constexpr int max_lines = 16, capacity = 256;

    // Throws OutputError (count) or DeviceError (memory).
    static std::unique_ptr<BesideLines> create(const std::string& name, const std::vector<bool>& safe_high);
    static std::unique_ptr<BesideLines> attach(const std::string& name);
    ~BesideLines();

    [[nodiscard]] const std::string& name() const noexcept { return memory_.name(); }
    [[nodiscard]] int size() const noexcept;
    [[nodiscard]] bool safe_high(int line) const noexcept;

    // --- engine ---
    // False where the queue is full or the host has ended.
    [[nodiscard]] bool give(BesideCommand command) noexcept;
    // The next answer; false after timeout_ns, or when the host has ended and all are taken.
    [[nodiscard]] bool take_answer(BesideAnswer& answer, std::int64_t timeout_ns) noexcept;
    void say_goodbye() noexcept;  // the host makes its lines safe and ends
    // Commands that the host has not begun yet.
    [[nodiscard]] int waiting() const noexcept;
    [[nodiscard]] std::string error() const;

    // --- host; the engine calls end() for one that died ---
    void end(const char* why) noexcept;
    [[nodiscard]] bool ended() const noexcept;
    // The next command; false after timeout_ns.
    [[nodiscard]] bool next(BesideCommand& command, std::int64_t timeout_ns) noexcept;
    void answer(const BesideCommand& command, bool written, const char* why) noexcept;
    [[nodiscard]] bool goodbye() const noexcept;  // the engine wants no more, or is gone

  private:
    explicit BesideLines(SharedMemory memory) noexcept;

    SharedMemory memory_;
    BesideLayout* layout_;
    mutable PriorityMutex mutex_;
};

// The engine's side of one host: a thread that takes the answers to those who listen.
class BesideDevice {
  public:
    explicit BesideDevice(std::shared_ptr<BesideLines> lines);
    ~BesideDevice();  // says goodbye
    BesideDevice(const BesideDevice&) = delete;
    BesideDevice& operator=(const BesideDevice&) = delete;

    [[nodiscard]] BesideLines& lines() noexcept { return *lines_; }
    void listen(int line, OutputListener* listener) noexcept;

  private:
    void run() noexcept;
    void take(const BesideAnswer& answer) noexcept;
    void fail() noexcept;

    std::shared_ptr<BesideLines> lines_;
    PriorityMutex call_mutex_;  // held while listeners are called
    std::vector<OutputListener*> listeners_;
    std::atomic<bool> stop_{false};
    std::thread thread_;
};

// One of its lines. Never blocks.
class BesideOutput final : public OutputDriver {
  public:
    BesideOutput(std::shared_ptr<BesideDevice> device, int line, std::string description, bool analogue);

    [[nodiscard]] bool write(bool high) noexcept override;
    [[nodiscard]] bool analogue() const override { return analogue_; }
    [[nodiscard]] bool write_value(float value) noexcept override;
    [[nodiscard]] std::int64_t ramp_step_ns() const override { return 10'000'000; }
    [[nodiscard]] std::string description() const override { return description_; }
    [[nodiscard]] std::string error() const override { return device_->lines().error(); }
    void listen(OutputListener* listener) override { device_->listen(line_, listener); }

  private:
    std::shared_ptr<BesideDevice> device_;
    int line_;
    std::string description_;
    bool analogue_;
};

}  // namespace fastpose
