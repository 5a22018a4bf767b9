// The simulated line: keeps its level and counts what was written.
#include "output/sim_output.h"

#include "base/clock.h"

namespace fastpose {

bool SimOutput::write(bool high) noexcept {
    if (broken_) return false;
    ++writes_;
    value_ = high ? 1.0F : 0.0F;
    if (high_.exchange(high) != high) {
        light_->set(high, now_ns());
        ++(high ? rising_edges_ : falling_edges_);
    }
    return true;
}

bool SimOutput::write_value(float value) noexcept {
    if (!write(value > 0)) return false;
    value_ = value;
    return true;
}

std::string SimOutput::description() const { return "simulated line " + name_; }

std::string SimOutput::error() const { return "the simulated line was told to fail"; }

}  // namespace fastpose
