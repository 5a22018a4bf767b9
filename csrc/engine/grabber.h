// The grabber thread of a C++ camera: frames go from the driver straight into slots of the ring.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/thread.h"
#include "camera/camera.h"
#include "engine/fault.h"
#include "frame/ring.h"
#include "latency/clock_fit.h"

namespace fastpose {

// Fits the camera's clock as it goes, so that every frame carries exposure_start in host time: from readings
// of it, many at first, then four a second, and at once when something contradicts the fit; where it cannot
// be read, from the frames.
//
// Note [Reconnect]: A camera that is gone is a fault, or with `reconnect` it is armed again, once a second,
// until that works. Meanwhile the ring says `lost`. Its own counter and clock may begin anew: the counter
// goes on from the last frame, the first one carries frame_counter_reset, and the clock is fitted afresh.
class Grabber {
  public:
    Grabber(std::string camera_name, std::shared_ptr<Camera> camera, std::shared_ptr<Ring> ring,
            FaultSlot& faults, ThreadRequest thread, bool reconnect = false,
            std::function<void()> on_lost = {});  // runs on its thread, at once; must not throw
    ~Grabber();
    // Starts the thread; the camera is armed, on it, when the ring is started. What goes wrong is a fault.
    void start();
    void join() noexcept;

  private:
    void run() noexcept;
    bool arm() noexcept;
    void fail(FaultKind kind, const char* text) noexcept;
    void grab_until_stopped() noexcept;
    void lend_slots() noexcept;
    GrabStatus grab_one() noexcept;
    void publish(int slot, FrameMeta& meta) noexcept;
    void take_failed(int slot, FrameMeta& meta) noexcept;
    void count(FrameMeta& meta) noexcept;
    void take_back(int slot) noexcept;
    void disarm() noexcept;
    bool lose() noexcept;
    bool get_back() noexcept;
    void start_clock() noexcept;
    void read_clock() noexcept;
    void report_clock() noexcept;
    void stamp(FrameMeta& meta) noexcept;
    void stamp_failed(FrameMeta& meta) const noexcept;

    std::string name_;
    std::shared_ptr<Camera> camera_;
    std::shared_ptr<Ring> ring_;
    FaultSlot& faults_;
    ThreadRequest request_;
    bool reconnect_;
    std::function<void()> on_lost_;
    std::vector<int> lent_;  // slots that the camera holds
    bool came_back_ = false;
    std::int64_t last_counter_ = -1, counter_offset_ = 0;
    ClockFit clock_;
    std::int64_t next_clock_reading_ns_ = 0, next_hasty_reading_ns_ = 0, next_ptp_reading_ns_ = 0;
    std::int64_t clock_period_ns_ = 0;
    ClockReport before_;  // the last connection's: its counts go on
    std::string ptp_;
    std::thread thread_;
};

}  // namespace fastpose
