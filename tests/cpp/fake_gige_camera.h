// The fake GigE camera that comes with Aravis, as a process of its own on the loopback.
#pragma once
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "camera/aravis_found.h"

namespace fastpose {

class FakeGigeCamera {
  public:
    explicit FakeGigeCamera(std::string serial, int lost_per_thousand = 0)
        : serial_(std::move(serial)), lost_(std::to_string(lost_per_thousand)) {
        start();
    }
    ~FakeGigeCamera() { kill(); }
    FakeGigeCamera(const FakeGigeCamera&) = delete;
    FakeGigeCamera& operator=(const FakeGigeCamera&) = delete;

    // The port of GigE Vision's control can be had once on an address, so each camera has its own.
    void start() {
        process_ = fork();
        if (process_ != 0) return;
        execlp("arv-fake-gv-camera-0.8", "arv-fake-gv-camera-0.8", "-i", "127.0.0.1", "-s", serial_.c_str(),
               "-r", lost_.c_str(), nullptr);
        _exit(127);
    }
    void kill() {
        if (process_ <= 0) return;
        ::kill(process_, SIGKILL);
        waitpid(process_, nullptr, 0);
        process_ = -1;
    }
    // False: it is not installed, or cannot open its port.
    [[nodiscard]] bool answers() const {
        for (int i = 0; i < 20; ++i) {
            for (const AravisFound& found : find_aravis_cameras())
                if (found.serial == serial_) return true;
            if (waitpid(process_, nullptr, WNOHANG) == process_) return false;
            std::this_thread::sleep_for(std::chrono::milliseconds(100));
        }
        return false;
    }
    [[nodiscard]] const std::string& serial() const { return serial_; }

  private:
    std::string serial_, lost_;
    pid_t process_ = -1;
};

}  // namespace fastpose
