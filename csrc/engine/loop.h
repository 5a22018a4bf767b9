// A loop: the thread that takes the frames of its cameras through their pipelines.
#pragma once
#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/shared_event.h"
#include "base/thread.h"
#include "engine/fault.h"
#include "engine/frame_sets.h"
#include "engine/held_frame.h"
#include "engine/loop_priority.h"
#include "engine/pose_feed.h"
#include "engine/set_pipeline.h"
#include "output/interlock.h"

namespace fastpose {

// What a loop needs for one camera beside its pipeline.
struct LoopCamera {
    std::shared_ptr<Ring> ring;
    PipelineSink* sink = nullptr;  // null: nothing is logged
    PoseFeed* feed = nullptr;      // null: nobody watches
    HeldFrame* held = nullptr;     // null: nobody asks for frames
};

struct LoopSpec {
    std::string thread_name;
    std::vector<LoopCamera> cameras;  // in the order of the pipelines
    MatchSpec match;                  // of several
    bool acts = true;                 // outputs are safe while one of its cameras is gone
    std::vector<int> cpus;            // empty: any
    int priority = 0;                 // 0: SCHED_FIFO is not asked for
    std::int64_t spin_ns = 0;         // longest spin for a frame, see Note [Spinning]; 0: never
    double rate_hz = 0;               // of its cameras; 0: not known
};

// Thread-safe but for set-up, start() and join(), which are bound to one thread.
class Loop {
  public:
    // `interlock` may be null. `ended` is notified when the loop is ready and when it has ended.
    Loop(LoopSpec spec, SetPipeline pipelines, Interlock* interlock, FaultSlot& faults, SharedEvent& ended);
    ~Loop();  // stop(), join()

    // Returns when the networks are warm.
    void start();
    // From now on outputs that are safe stay so.
    void keep_safe() noexcept { ending_.store(true); }
    void stop() noexcept { stopping_.store(true); }
    void join() noexcept;
    // The sources have ended and all frames are taken, or it was stopped, or never started.
    [[nodiscard]] bool ended() const noexcept { return ended_.load(); }
    // Its protocol has ended the session: outputs are safe, and stay so.
    [[nodiscard]] bool protocol_finished() const noexcept { return pipelines_.protocol_finished(); }

    [[nodiscard]] const Pipeline& pipeline(std::size_t camera) const noexcept {
        return pipelines_.pipeline(camera);
    }
    // What the system granted to the thread; valid after start().
    [[nodiscard]] const ThreadGrant& grant() const noexcept { return grant_; }
    // The network's runtime takes the thread off its core in each inference; it comes back after it.
    [[nodiscard]] bool is_moved() const noexcept { return is_moved_; }
    [[nodiscard]] LoopTiming timing() const noexcept { return priority_.timing(); }

  private:
    void run() noexcept;
    void set_up() noexcept;
    void stay_on_core() noexcept;
    void process_set() noexcept;
    void begin(std::size_t camera, int slot, std::int64_t dequeued_ns) noexcept;
    void end(std::size_t camera, int slot) noexcept;
    void note_passed_over(std::size_t camera, int slot) noexcept;
    void wake_protocol() noexcept;
    [[nodiscard]] std::int64_t longest_wait_ns() const noexcept;
    void watch_protocol() noexcept;
    void watch_outputs() noexcept;
    void watch_cameras() noexcept;
    [[nodiscard]] std::int64_t times_lost() const noexcept;
    void come_back() noexcept;

    LoopSpec spec_;
    SetPipeline pipelines_;
    Interlock* interlock_;
    FaultSlot& faults_;
    SharedEvent& bell_;
    FrameSets sets_;
    std::vector<SetFrame> frames_;
    LoopPriority priority_;
    ThreadGrant grant_;
    bool is_moved_ = false;
    bool camera_lost_ = false;      // its thread only
    std::int64_t losses_seen_ = 0;  // its thread only
    std::atomic<bool> ready_{false}, ended_{true}, stopping_{false}, ending_{false};
    std::thread thread_;
};

}  // namespace fastpose
