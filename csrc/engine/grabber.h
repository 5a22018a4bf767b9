// The grabber thread of a C++ camera: frames go from the driver straight into slots of the ring.
#pragma once
#include <atomic>
#include <memory>
#include <string>
#include <thread>

#include "base/thread.h"
#include "camera/camera.h"
#include "engine/fault.h"
#include "frame/ring.h"
#include "latency/clock_fit.h"

namespace fastpose {

// Fits the camera's clock as it goes, so that every frame carries exposure_start in host time.
class Grabber {
  public:
    Grabber(std::string camera_name, std::shared_ptr<Camera> camera, std::shared_ptr<Ring> ring,
            FaultSlot& faults, ThreadRequest thread);
    ~Grabber();
    // Starts the thread; the camera is armed, on it, when the ring is started. What goes wrong is a fault.
    void start();
    void join() noexcept;
    [[nodiscard]] double clock_drift_ppm() const noexcept { return drift_ppm_.load(); }
    [[nodiscard]] double clock_residual_ns() const noexcept { return residual_ns_.load(); }

  private:
    void run() noexcept;
    bool arm() noexcept;
    void fail(FaultKind kind, const char* text) noexcept;
    void grab_until_stopped() noexcept;
    GrabStatus grab_one(int slot) noexcept;
    void read_clock() noexcept;

    std::string name_;
    std::shared_ptr<Camera> camera_;
    std::shared_ptr<Ring> ring_;
    FaultSlot& faults_;
    ThreadRequest request_;
    ClockFit clock_;
    std::int64_t next_clock_reading_ns_ = 0;
    std::atomic<double> drift_ppm_{0}, residual_ns_{0};
    std::thread thread_;
};

}  // namespace fastpose
