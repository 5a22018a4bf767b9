// A line that acts on nothing: it counts its edges, so that protocols can be tried without hardware.
#pragma once
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "base/sim_light.h"
#include "output/output.h"

namespace fastpose {

// Thread-safe, never blocks, allocates nothing after construction. It drives the light of its name, for
// simulated cameras to see.
class SimOutput final : public OutputDriver {
  public:
    explicit SimOutput(std::string name) : name_(std::move(name)), light_(sim_light(name_)) {}

    [[nodiscard]] bool write(bool high) noexcept override;
    [[nodiscard]] std::string description() const override;
    [[nodiscard]] std::string error() const override;
    [[nodiscard]] bool analogue() const override { return true; }
    [[nodiscard]] bool write_value(float value) noexcept override;

    // From now on every write fails (true) or works again (false): a device that comes loose.
    void set_broken(bool broken) noexcept { broken_ = broken; }

    [[nodiscard]] bool high() const noexcept { return high_; }
    [[nodiscard]] float value() const noexcept {
        return value_;
    }  // 1 after write(true), 0 after write(false)
    [[nodiscard]] std::int64_t writes() const noexcept { return writes_; }
    [[nodiscard]] std::int64_t rising_edges() const noexcept { return rising_edges_; }
    [[nodiscard]] std::int64_t falling_edges() const noexcept { return falling_edges_; }

  private:
    std::string name_;
    std::shared_ptr<SimLight> light_;
    std::atomic<bool> high_{false};
    std::atomic<bool> broken_{false};
    std::atomic<float> value_{0};
    std::atomic<std::int64_t> writes_{0}, rising_edges_{0}, falling_edges_{0};
};

}  // namespace fastpose
