// A GenICam camera that is open and set up.
#pragma once
#include <atomic>
#include <map>
#include <string>

#include "camera/aravis_clock.h"
#include "camera/aravis_glib.h"
#include "camera/aravis_spec.h"
#include "camera/camera.h"
#include "camera/frame_counter.h"

namespace fastpose::aravis {

// Holds the control of the camera until it is destroyed, which blocks for seconds when the camera is gone.
// Thread-bound but for lost().
class Device {
  public:
    // Throws CameraError.
    explicit Device(const AravisSpec& spec);
    Device(const Device&) = delete;
    Device& operator=(const Device&) = delete;
    ~Device();

    [[nodiscard]] ArvCamera* camera() const noexcept { return camera_.get(); }
    [[nodiscard]] const CameraInfo& info() const noexcept { return info_; }
    [[nodiscard]] const DeviceClock& clock() const noexcept { return clock_; }
    // The camera answers its heartbeat no more, or another program took its control.
    [[nodiscard]] bool lost() const noexcept { return lost_.load(); }
    // Of the frame's number. Block ids of GigE Vision have 16 bits, and so has the simulated camera's.
    [[nodiscard]] CounterRange counter_range() const;
    [[nodiscard]] std::map<std::string, std::string> details() const;
    void start();  // throws CameraError
    void stop() noexcept;
    // False: the camera did not take it.
    bool trigger() noexcept;

  private:
    Handle<ArvCamera> camera_;
    std::string address_;
    std::atomic<bool> lost_{false};
    CameraInfo info_;
    DeviceClock clock_;
};

}  // namespace fastpose::aravis
