// The running system: threads, hand-offs, faults and shutdown around any number of cameras and loops.
#pragma once
#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/memory_lock.h"
#include "engine/fault.h"
#include "engine/grabber.h"
#include "engine/loop.h"
#include "engine/session_writer.h"
#include "engine/snapshot.h"
#include "frame/ring.h"

namespace fastpose {

// One camera: a C++ driver, or none when a process of its own fills the ring.
struct CameraPart {
    std::string name;
    std::shared_ptr<Ring> ring;
    std::shared_ptr<Camera> driver;  // null: hosted
    LogSpec log;
    std::shared_ptr<PipelineParts> pipeline{};  // null: only recorded
    LogSpec pose_log{};                         // where there is a pipeline
    double rate_hz = 0;                         // 0: not known
    bool follower = false;                      // exposes when something outside of it says so
    bool reconnect = false;                     // see Note [Reconnect] of the grabber
};

// Cameras with pipelines whose frames are exposed together: they go through one loop, in sets.
struct SetPart {
    std::vector<int> cameras;  // indices, in the config's order; empty: there is no such set
    MatchSpec match;
    std::shared_ptr<Batch> batch{};  // null: each has a network of its own
    bool reads_all = false;          // the protocol sees the rules of all of them, see Note [One protocol]
};

// What the engine takes of the machine, where the system grants it.
struct RealtimeRequest {
    bool fifo = true;               // for grabbers and the loop, see Note [Duty]
    bool lock_memory = true;        // from start() to stop()
    std::vector<int> loop_cpus{};   // cores of the first loop's thread; empty: any
    std::vector<int> other_cpus{};  // cores of grabbers, writer and the other loops; empty: any
    std::int64_t spin_ns = 0;       // longest spin for a frame, see Note [Spinning]; 0: never
};

struct EngineParts {
    std::vector<CameraPart> cameras;
    SetPart set{};
    int acting_camera = 0;                   // see Note [Several loops]; with no pipeline: the first that has
    std::shared_ptr<Interlock> interlock{};  // null: no outputs
    LogSpec event_log;
    bool log = true;           // false: nothing is written (benchmarks, tests)
    bool pose_feed = false;    // poses for Python
    bool hold_frames = false;  // the last processed frame of each camera, for Python
    RealtimeRequest realtime;
};

// Note [Several loops]: The cameras of the set share a loop, every other camera with a pipeline has its own,
// so that a slow network holds up nobody else's frames. That of the acting camera is the first: it alone
// takes the core, the priority and the spinning that make its timing steady, as two real-time loops on one
// core would wait for each other and overdraw the kernel's budget; the others are normal threads beside it.
//
// Note [Order]: Followers are armed before any camera that is not one starts to expose, so that they see its
// first trigger and their counts of exposures are those of the others. At the end those that drive are
// stopped first, and followers get what is still on its way.

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
    // The protocol has ended the session; outputs are safe.
    [[nodiscard]] bool protocol_finished() const noexcept;
    // A command from outside the loop, through the interlock.
    EdgeResult command(const OutputCommand& command) noexcept;
    // Of a camera with a pipeline; null: it has none, or feeds were not asked for.
    [[nodiscard]] PoseFeed* pose_feed(std::size_t camera) noexcept { return feeds_.at(camera).get(); }
    // The last processed frame of a camera with a pipeline; null: none is held.
    [[nodiscard]] HeldFrame* held_frame(std::size_t camera) noexcept { return held_.at(camera).get(); }
    [[nodiscard]] EngineSnapshot snapshot() const;
    // The acting camera's; null: only recording.
    [[nodiscard]] const Loop* first_loop() const noexcept {
        return loops_.empty() ? nullptr : loops_[0].get();
    }
    [[nodiscard]] const MemoryGrant& memory_grant() const noexcept { return memory_grant_; }
    [[nodiscard]] const Grabber* grabber(std::size_t camera) const { return grabbers_.at(camera).get(); }

  private:
    struct Place {
        Loop* loop = nullptr;
        std::size_t camera = 0;  // of the loop
    };

    void make_sinks();
    void make_loops();
    void make_loop(const std::vector<int>& cameras);
    [[nodiscard]] LoopSpec loop_spec(const std::vector<int>& cameras);
    [[nodiscard]] SetPipeline set_pipeline(const std::vector<int>& cameras);
    [[nodiscard]] bool paced(const std::vector<int>& cameras) const noexcept;
    [[nodiscard]] std::vector<std::vector<int>> shares() const;
    [[nodiscard]] std::size_t acting() const noexcept;
    [[nodiscard]] std::function<void()> when_lost(std::size_t camera) const;
    void open_log();
    void start_followers() noexcept;
    void wait_until_armed(const CameraPart& camera) noexcept;
    void request_stop(bool followers) noexcept;
    void wait_for_drivers() noexcept;
    [[nodiscard]] bool has_followers() const noexcept;
    [[nodiscard]] bool loops_ended() const noexcept;
    [[nodiscard]] bool drained() const noexcept;
    [[nodiscard]] CameraSnapshot snapshot_of(std::size_t camera) const;
    void watch_outputs() noexcept;
    void end_outputs() noexcept;

    EngineParts parts_;
    FaultSlot faults_;
    SharedEvent ended_event_;
    std::vector<std::unique_ptr<PipelineSink>> sinks_;  // a camera; null where it has no pipeline
    std::vector<std::unique_ptr<PoseFeed>> feeds_;      // a camera
    std::vector<std::unique_ptr<HeldFrame>> held_;      // a camera
    std::vector<std::unique_ptr<Loop>> loops_;          // the one that acts is the first
    std::vector<Place> places_;                         // a camera
    std::unique_ptr<SessionWriter> writer_;
    std::vector<std::unique_ptr<Grabber>> grabbers_;
    bool started_ = false;
    std::atomic<std::int64_t> outputs_ended_ns_{0};
    MemoryGrant memory_grant_;
    std::atomic<bool> memory_released_{false};
};

}  // namespace fastpose
