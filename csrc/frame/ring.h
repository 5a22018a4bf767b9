// The frame ring in shared memory: newest frame wins for the loop, every frame for the recorder.
//
// Note [ring]: A slot has a reference count. The producer takes a free slot (0 -> 1), fills it and publishes
// it: one reference goes to the loop's mailbox, which holds one slot, one to the recorder's queue. Whoever
// takes a slot out gives its reference back with release(). In `newest` mode a slot still in the mailbox is
// superseded by the next one, which is a drop with reason `ring`; in `every` mode publish() waits until the
// loop has taken it. With `record_taken` the loop offers the frames that it took to the recorder, instead of
// publish(). The recorder may hold all but `reserved_slots` and what the
// driver holds; beyond that a frame goes to the loop
// only, a drop with reason `recorder`. Every frame that the loop does not get, and every gap in the camera's
// counter, lies in the ledger, which the engine's writer turns into rows.
#pragma once
#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/clock_report.h"
#include "base/shared_memory.h"
#include "frame/frame.h"

namespace fastpose {

enum class FramePolicy : std::int32_t { newest = 0, every = 1 };

// lost: the camera is gone and its driver tries to get it back.
enum class HostState : std::int32_t { none = 0, starting, ready, finished, failed, lost };

struct RingSpec {
    int slots = 32;
    int width = 0, height = 0;
    PixelFormat format = PixelFormat::mono8;
    FramePolicy policy = FramePolicy::newest;
    bool loop = true;               // a pipeline takes frames
    bool recorder = true;           // a recorder takes frames
    bool record_taken = false;      // only those that the loop takes; needs a loop
    std::int64_t stride_bytes = 0;  // of a (luma) row; 0: densely packed
    int producer_slots = 1;         // that the driver holds at once
    std::int64_t buffer_bytes = 0;  // that a driver needs of each slot, chunk data included; 0: the frame's
};

enum class Fate : std::int32_t { unused = 0, not_looped, superseded, not_recorded, missing, failed };

// What became of a frame that did not go the whole way.
struct LedgerEntry {
    FrameMeta meta;  // missing: only camera_counter is set
    Fate fate = Fate::unused;
    std::int32_t reserved = 0;
};

struct RingCounts {
    std::int64_t published = 0, superseded = 0, not_recorded = 0, missing = 0, failed = 0, ledger_lost = 0;
    std::int64_t times_lost = 0;  // the camera was gone
    std::int64_t recorded = 0;    // by what the recorder says
    int recorder_queue = 0;       // frames that wait for it, here and in its own memory
    int recorder_waiting = 0;     // of those: in its own memory
};

struct RingLayout;  // what lies in the shared memory; see ring_layout.h

// Thread-safe in this sense: one producer, one loop consumer, one recorder, one ledger reader, in any
// process. No function but the constructors throws or allocates.
class Ring {
  public:
    static constexpr int reserved_slots = 4;  // mailbox, pipeline, producer, one to spare
    static constexpr const char* name_prefix = "fastpose-";

    // Throws ConfigError (slots) or DeviceError (memory).
    static std::unique_ptr<Ring> create(const std::string& name, const RingSpec& spec);
    static std::unique_ptr<Ring> attach(const std::string& name);
    ~Ring();

    [[nodiscard]] const std::string& name() const noexcept { return memory_.name(); }
    [[nodiscard]] RingSpec spec() const noexcept;
    [[nodiscard]] std::size_t slot_bytes() const noexcept;    // of the frame's pixels
    [[nodiscard]] std::size_t buffer_bytes() const noexcept;  // that a driver may write
    [[nodiscard]] std::span<std::uint8_t> pixels(int slot) const noexcept;
    // Page-aligned; may be longer than the pixels.
    [[nodiscard]] std::span<std::uint8_t> buffer(int slot) const noexcept;
    [[nodiscard]] const FrameMeta& meta(int slot) const noexcept;
    [[nodiscard]] FrameView view(int slot) const noexcept;
    void release(int slot) noexcept;

    // --- producer ---
    // A free slot, or -1 after timeout_ns or when a stop is requested.
    [[nodiscard]] int acquire(std::int64_t timeout_ns) noexcept;
    // Hands the slot on (the producer's reference goes with it) and returns the frame id. Blocks in `every`
    // mode.
    std::int64_t publish(int slot, const FrameMeta& meta) noexcept;
    // A frame that was exposed and whose pixels did not arrive whole. Its slot stays the producer's.
    void note_failed(const FrameMeta& meta) noexcept;
    void set_producer_state(HostState state, const char* text) noexcept;
    // What is known of the camera's clock by now.
    void set_clock(const ClockReport& report) noexcept;

    // --- loop ---
    // The newest unprocessed frame, or -1 after timeout_ns.
    [[nodiscard]] int take(std::int64_t timeout_ns) noexcept;
    // Whether take() would return one at once.
    [[nodiscard]] bool frame_waits() const noexcept;
    // Offers a frame that was taken to the recorder, where the spec says record_taken; must follow take().
    // False: it is full.
    bool record_taken(int slot) noexcept;
    // Gives back a frame that was taken and is not processed: counted as superseded. Its row is the loop's to
    // write.
    void pass_over(int slot) noexcept;

    // --- recorder ---
    [[nodiscard]] int recorder_next(std::int64_t timeout_ns) noexcept;  // oldest unrecorded frame, or -1
    void set_recorder_state(HostState state, const char* text) noexcept;
    // Frames that the recorder is done with, and those that wait in memory of its own.
    void set_recorder_progress(std::int64_t recorded, int waiting) noexcept;
    // Gives the recorder's frames back and takes none for it any more: for a recorder that died.
    void disable_recorder() noexcept;

    // --- engine ---
    [[nodiscard]] bool next_ledger_entry(LedgerEntry& entry) noexcept;
    [[nodiscard]] RingCounts counts() const noexcept;
    // How often the producer said that its camera is lost.
    [[nodiscard]] std::int64_t times_lost() const noexcept;
    [[nodiscard]] ClockReport clock() const noexcept;
    [[nodiscard]] HostState producer_state() const noexcept;
    [[nodiscard]] HostState recorder_state() const noexcept;
    [[nodiscard]] std::string producer_text() const;
    [[nodiscard]] std::string recorder_text() const;
    void start() noexcept;  // lets frames flow
    [[nodiscard]] bool wait_started(std::int64_t timeout_ns) noexcept;
    void request_stop() noexcept;
    [[nodiscard]] bool stop_requested() const noexcept;
    // The producer's camera exposes as soon as it is told to.
    void note_armed() noexcept;
    [[nodiscard]] bool wait_armed(std::int64_t timeout_ns) noexcept;
    // The producer ended and the loop / the recorder has taken all there was.
    [[nodiscard]] bool loop_drained() const noexcept;
    [[nodiscard]] bool recorder_drained() const noexcept;
    [[nodiscard]] bool creator_alive() const noexcept;
    // Wakes a loop or recorder that waits, without a frame.
    void wake() noexcept;

  private:
    explicit Ring(SharedMemory memory) noexcept;
    void note(const FrameMeta& meta, Fate fate) noexcept;
    void count_exposure(const FrameMeta& meta) noexcept;
    std::int64_t number_failed(std::int64_t first, std::int64_t last) noexcept;
    void note_unnumbered() noexcept;
    void note_missing(std::int64_t first, std::int64_t last) noexcept;
    bool offer_to_recorder(int slot) noexcept;
    void offer_to_loop(int slot) noexcept;
    [[nodiscard]] bool producer_ended() const noexcept;

    SharedMemory memory_;
    RingLayout* layout_;
};

}  // namespace fastpose
