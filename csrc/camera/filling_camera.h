// A camera that fills memory itself, one frame at a time: the simulated one, frames in memory.
#pragma once
#include <utility>

#include "camera/camera.h"

namespace fastpose {

class FillingCamera : public Camera {
  public:
    void lend(int slot, std::span<std::uint8_t> memory) noexcept final {
        slot_ = slot;
        memory_ = memory;
    }
    // Without a slot it waits for one that is lent.
    Grab grab(FrameMeta& meta, std::int64_t timeout_ns) noexcept final {
        if (slot_ < 0) return {};
        const GrabStatus status = fill(memory_, meta, timeout_ns);
        const bool done = status == GrabStatus::frame || status == GrabStatus::failed;
        return {status, done ? std::exchange(slot_, -1) : -1};
    }
    void disarm() noexcept override { slot_ = -1; }

  protected:
    // As grab(), into this memory.
    virtual GrabStatus fill(std::span<std::uint8_t> memory, FrameMeta& meta,
                            std::int64_t timeout_ns) noexcept = 0;

  private:
    int slot_ = -1;
    std::span<std::uint8_t> memory_;
};

}  // namespace fastpose
