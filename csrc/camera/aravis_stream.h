// Frames of a GenICam camera in memory that was lent: the transport writes straight into it.
#pragma once
#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <string>

#include "base/thread.h"
#include "camera/aravis_glib.h"
#include "camera/aravis_spec.h"

namespace fastpose::aravis {

// One slot of the ring as Aravis knows it. It is made once; afterwards only references change hands.
struct Slot {
    int index = -1;
    std::uint8_t* data = nullptr;
    Handle<ArvBuffer> buffer;
    bool lent = false;  // to the camera
    std::int64_t lent_ns = 0;
    std::atomic<std::int64_t> done_ns = 0;  // when the transport had finished it
    // When the frame was whole in memory, as the transport's thread saw it.
    [[nodiscard]] std::int64_t received_ns() const noexcept;
};

// The slots that were ever lent. Thread-bound; allocates on the first lending of a slot only.
class SlotPool {
  public:
    Slot& lend(int index, std::span<std::uint8_t> memory);
    void take_all_back() noexcept;
    // nullptr: the slot was never lent.
    [[nodiscard]] ArvBuffer* buffer(int index) const noexcept;
    [[nodiscard]] std::deque<Slot>& slots() noexcept { return slots_; }

  private:
    std::deque<Slot> slots_;  // by index
};

// What a transport counted, over all streams of a camera.
struct Counts {
    std::uint64_t completed = 0, failed = 0, underruns = 0;  // frames; underruns: no memory was lent
    std::uint64_t missing_packets = 0, resend_requests = 0, resent_packets = 0, missing_frames = 0;
    void add(const Counts& other) noexcept;
    [[nodiscard]] std::string text() const;
};

// Owns the transport's thread, which goes before the thread that makes the stream: with a real-time priority
// one higher, on the same cores. Thread-bound but for counts().
class Stream {
  public:
    // Throws CameraError.
    Stream(ArvCamera* camera, const AravisSpec& spec, const std::string& name);
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;
    ~Stream();
    void push(Slot& slot) noexcept;
    // Lets go of all slots; nothing is written into them any more. Returns at once, where the destructor
    // blocks for seconds when the camera is gone. Afterwards there is only counts().
    void halt() noexcept;
    // The oldest finished slot, or nullptr after timeout_ns. It is the caller's again.
    [[nodiscard]] Slot* pop(std::int64_t timeout_ns) noexcept;
    [[nodiscard]] Counts counts() const noexcept;
    [[nodiscard]] bool realtime() const noexcept { return thread_->realtime.load(); }

  private:
    struct ThreadState {
        ThreadRequest request;
        std::atomic<bool> realtime{false};
    };
    static void on_event(void* state, ArvStreamCallbackType type, ArvBuffer* buffer);

    bool halted_ = false;
    std::unique_ptr<ThreadState> thread_;  // outlives the stream, whose thread uses it
    Handle<ArvStream> stream_;
};

}  // namespace fastpose::aravis
