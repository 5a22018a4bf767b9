// The running system: threads, hand-offs, faults and shutdown around one pipeline and any number of cameras.
#pragma once
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/memory_lock.h"
#include "base/thread.h"
#include "engine/fault.h"
#include "engine/frame_wait.h"
#include "engine/grabber.h"
#include "engine/loop_priority.h"
#include "engine/pipeline.h"
#include "engine/pipeline_sink.h"
#include "engine/pose_feed.h"
#include "engine/session_writer.h"
#include "frame/ring.h"

namespace fastpose {

// One camera: a C++ driver, or none when a process of its own fills the ring.
struct CameraPart {
    std::string name;
    std::shared_ptr<Ring> ring;
    std::shared_ptr<Camera> driver;  // null: hosted
    LogSpec log;
    bool reconnect = false;  // a driver that is gone is tried again, see Note [Reconnect] of the grabber
};

// What the engine takes of the machine, where the system grants it.
struct RealtimeRequest {
    bool fifo = true;               // for grabbers and the loop, see Note [Duty]
    bool lock_memory = true;        // from start() to stop()
    std::vector<int> loop_cpus{};   // cores of the loop's thread; empty: any
    std::vector<int> other_cpus{};  // cores of grabbers and writer; empty: any
    std::int64_t spin_ns = 0;       // longest spin for a frame, see Note [Spinning]; 0: never
    double rate_hz = 0;             // of the loop's camera; 0: not known
};

struct EngineParts {
    std::vector<CameraPart> cameras;
    std::shared_ptr<PipelineParts> pipeline;  // null: only recording
    int loop_camera = 0;                      // the camera that the pipeline looks at
    std::shared_ptr<Interlock> interlock;     // null: no outputs
    LogSpec pose_log, event_log;
    bool log = true;         // false: nothing is written (benchmarks, tests)
    bool pose_feed = false;  // poses for Python
    RealtimeRequest realtime;
};

struct EngineSnapshot {
    std::int64_t published = 0, processed = 0, dropped_ring = 0, dropped_camera = 0, dropped_recorder = 0;
    std::int64_t dropped_transport = 0, times_lost = 0;
    std::int64_t late = 0, lost_records = 0, feed_dropped = 0;
    std::int64_t newest_exposure_ns = 0;  // of the newest processed frame
    int recorder_queue = 0;
    LatencySummary exposure_to_decided, exposure_to_acted, dequeued_to_decided;
    std::uint64_t rules = 0;            // bit i: rule i is true
    std::vector<std::uint8_t> outputs;  // levels
};

// Thread-safe but for set-up and stop(), which are bound to one thread. Order: arm(), start(), stop().
class Engine {
  public:
    explicit Engine(EngineParts parts);
    ~Engine();  // stop(), without its error

    // Creates the log and arms the outputs; cameras expose from start() on. Throws.
    void arm();
    // Frames flow.
    void start();
    // True when the sources have ended and the loop has taken all, or a fault was raised; false after
    // timeout_ns.
    bool wait(std::int64_t timeout_ns) noexcept;
    // No more frames from the sources; what is in the rings is still taken.
    void end_sources() noexcept;
    // Outputs safe first, then sources, loop and writer end. Idempotent.
    void stop() noexcept;
    // Raises the first fault as its typed error; nothing if there was none.
    void rethrow() const { faults_.rethrow(); }

    void post_fault(FaultKind kind, const std::string& text) noexcept { faults_.post(kind, text.c_str()); }
    [[nodiscard]] bool faulted() const noexcept { return faults_.raised(); }
    // A command from outside the loop, through the interlock.
    EdgeResult command(const OutputCommand& command) noexcept;
    [[nodiscard]] PoseFeed* pose_feed() noexcept { return feed_.get(); }
    [[nodiscard]] EngineSnapshot snapshot() const;
    // What the system granted to the loop's thread; valid after start().
    [[nodiscard]] const ThreadGrant& loop_grant() const noexcept { return loop_grant_; }
    // The network's runtime takes the loop's thread off its core in each inference; it comes back after it.
    [[nodiscard]] bool loop_is_moved() const noexcept { return loop_is_moved_; }
    [[nodiscard]] const MemoryGrant& memory_grant() const noexcept { return memory_grant_; }
    // Priority and duty of the loop; any thread may ask.
    [[nodiscard]] LoopTiming loop_timing() const noexcept { return priority_.timing(); }
    [[nodiscard]] const Grabber* grabber(std::size_t camera) const { return grabbers_.at(camera).get(); }

  private:
    void open_log();
    void start_loop();
    void run_pipeline() noexcept;
    void set_up_loop() noexcept;
    void stay_on_core() noexcept;
    void watch_camera() noexcept;
    void process(int slot, FrameWait& wait) noexcept;
    [[nodiscard]] bool drained() const noexcept;
    [[nodiscard]] bool paced() const noexcept;
    [[nodiscard]] Ring& loop_ring() const noexcept;
    void watch_outputs() noexcept;

    EngineParts parts_;
    FaultSlot faults_;
    std::unique_ptr<PipelineSink> sink_;
    std::unique_ptr<Pipeline> pipeline_;
    std::unique_ptr<PoseFeed> feed_;
    std::unique_ptr<SessionWriter> writer_;
    std::vector<std::unique_ptr<Grabber>> grabbers_;
    ThreadGrant loop_grant_;
    bool loop_is_moved_ = false;  // by the network's runtime, in each inference
    std::atomic<bool> loop_granted_{false};
    MemoryGrant memory_grant_;
    std::atomic<bool> memory_released_{false};
    LoopPriority priority_;
    std::atomic<std::int64_t> newest_exposure_ns_{0};
    std::atomic<bool> loop_ended_{false}, stopping_{false}, ending_{false};
    bool camera_lost_ = false;  // the loop's; its thread only
    SharedEvent ended_event_;
    std::thread loop_;
};

}  // namespace fastpose
