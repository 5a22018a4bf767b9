// Steps around the camera's range; what is too far for the time that passed is a reset.
#include "camera/frame_counter.h"

#include <algorithm>
#include <limits>
#include <string>

#include "base/error.h"

namespace fastpose {
namespace {

constexpr auto int64_max = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
constexpr double waited_s = 1.0;  // a frame may have waited this long in a queue
constexpr double rate_tolerance = 1.5;
constexpr double few_frames = 8;

}  // namespace

CounterRange counter_range_from(std::string_view name) {
    if (name == "uint16") return {0, 0xFFFF};
    if (name == "uint32") return {0, 0xFFFF'FFFF};
    if (name == "uint64") return {0, ~std::uint64_t{0}};
    if (name == "gvsp16") return {1, 0xFFFF};
    if (name == "gvsp64") return {1, ~std::uint64_t{0}};
    throw ConfigError("frame counter '" + std::string(name) +
                      "': allowed are uint16, uint32, uint64, gvsp16, gvsp64");
}

FrameCounter::FrameCounter(CounterRange range, double highest_rate_hz) noexcept
    : range_(range), rate_hz_(highest_rate_hz) {}

FrameCount FrameCounter::next(std::uint64_t raw, std::int64_t received_ns) noexcept {
    if (!started_) {
        started_ = true;
        counter_ = static_cast<std::int64_t>(std::min(raw, int64_max / 2)) - 1;
        return take(raw, received_ns, 1, false);
    }
    if (restarted_) return take(raw, received_ns, 1, true);
    if (raw == raw_) return {};
    const std::uint64_t steps = steps_to(raw);
    const bool reset = raw < range_.first || raw > range_.last || steps > most_steps(received_ns);
    return take(raw, received_ns, reset ? 1 : steps, reset);
}

// Modulo the range; all 64 bits wrap by themselves.
std::uint64_t FrameCounter::steps_to(std::uint64_t raw) const noexcept {
    if (raw >= raw_) return raw - raw_;
    return (range_.last - raw_) + (raw - range_.first) + 1;
}

// 0: so much time passed that the counter may have gone round, and no number tells how often.
std::uint64_t FrameCounter::most_steps(std::int64_t received_ns) const noexcept {
    const std::uint64_t range = range_.last - range_.first;
    if (rate_hz_ <= 0) return range / 2;
    const double passed_s = 1e-9 * static_cast<double>(std::max<std::int64_t>(received_ns - received_ns_, 0));
    const double steps = rate_tolerance * (passed_s + waited_s) * rate_hz_ + few_frames;
    return steps < static_cast<double>(range) ? static_cast<std::uint64_t>(steps) : 0;
}

FrameCount FrameCounter::take(std::uint64_t raw, std::int64_t received_ns, std::uint64_t steps,
                              bool reset) noexcept {
    raw_ = raw;
    received_ns_ = received_ns;
    restarted_ = false;
    counter_ += static_cast<std::int64_t>(std::min(steps, int64_max / 4));
    return {counter_, reset};
}

}  // namespace fastpose
