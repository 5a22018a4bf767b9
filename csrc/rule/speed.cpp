// Condition: a bodypart moves faster, or slower, than a limit.
#include "rule/speed.h"

#include <cassert>
#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

#include "base/check.h"
#include "rule/threshold.h"

namespace fastpose {
namespace {

constexpr std::size_t capacity = 1024;

struct Sample {
    std::int64_t time_ns;
    float x, y;
};

// The positions of the last window_ns, oldest first, in a ring that never grows: samples that come closer
// than window / capacity are thinned out, so that any rate fits and the window keeps its length.
class History {
  public:
    explicit History(std::int64_t window_ns)
        : window_ns_(window_ns),
          spacing_ns_(window_ns / static_cast<std::int64_t>(capacity - 1) + 1),
          samples_(capacity) {}

    void forget_before(std::int64_t now_ns) noexcept {
        while (count_ > 0 && now_ns - oldest().time_ns > window_ns_) {
            first_ = (first_ + 1) % capacity;
            --count_;
        }
    }

    void add(const Sample& sample) noexcept {
        if (count_ > 0 && sample.time_ns - newest().time_ns < spacing_ns_) return;
        assert(count_ < capacity);  // spacing x capacity is more than the window
        samples_[(first_ + count_) % capacity] = sample;
        ++count_;
    }

    void clear() noexcept { count_ = 0; }
    // Not to be asked of an empty one.
    [[nodiscard]] const Sample& oldest() const noexcept { return samples_[first_]; }

  private:
    [[nodiscard]] const Sample& newest() const noexcept { return samples_[(first_ + count_ - 1) % capacity]; }

    std::int64_t window_ns_;
    std::int64_t spacing_ns_;
    std::vector<Sample> samples_;
    std::size_t first_ = 0;
    std::size_t count_ = 0;
};

class Speed final : public Condition {
  public:
    Speed(const SpeedSpec& spec, const Gate& gate, const Threshold& threshold)
        : bodypart_(spec.bodypart),
          gate_(gate),
          threshold_(threshold),
          histories_(gate.individuals(), History(std::llround(spec.window_ms * 1e6))) {}

    Truth evaluate(const PoseView& pose, std::int64_t exposure_start_ns, bool active) noexcept override {
        if (exposure_start_ns <= last_ns_) reset();
        last_ns_ = exposure_start_ns;
        // Every individual is observed in every frame, also when the first one already decides.
        for (int i = 0; i < gate_.individuals(); ++i) observe(pose, i, exposure_start_ns);
        return gate_.evaluate(
            [&](int individual) { return test(pose, individual, exposure_start_ns, active); });
    }

    void reset() noexcept override {
        for (History& history : histories_) history.clear();
        last_ns_ = never;
    }

  private:
    static constexpr std::int64_t never = std::numeric_limits<std::int64_t>::min();

    void observe(const PoseView& pose, int individual, std::int64_t now_ns) noexcept {
        History& history = histories_[individual];
        history.forget_before(now_ns);
        const Keypoint* keypoint = gate_.visible(pose, individual, bodypart_);
        if (keypoint) history.add({now_ns, keypoint->x, keypoint->y});
    }

    Truth test(const PoseView& pose, int individual, std::int64_t now_ns, bool active) const noexcept {
        const Keypoint* keypoint = gate_.visible(pose, individual, bodypart_);
        const History& history = histories_[individual];
        if (!keypoint || history.oldest().time_ns == now_ns) return Truth::missing;
        const Sample& oldest = history.oldest();
        const double way_px = std::hypot(double{keypoint->x} - oldest.x, double{keypoint->y} - oldest.y);
        const double time_s = static_cast<double>(now_ns - oldest.time_ns) * 1e-9;
        return threshold_.test(way_px / time_s, active);
    }

    int bodypart_;
    Gate gate_;
    Threshold threshold_;
    std::vector<History> histories_;  // one per individual
    std::int64_t last_ns_ = never;
};

}  // namespace

std::unique_ptr<Condition> make_speed(const SpeedSpec& spec, int individuals, int bodyparts) {
    const Gate gate(spec.gate, individuals, bodyparts);
    gate.require_bodypart(spec.bodypart);
    require_above("window_ms", spec.window_ms, 0);
    require_between("window_ms", spec.window_ms, 0, 60'000);
    const Threshold threshold(spec.above_px_s, spec.below_px_s, spec.hysteresis_px_s, "px_s");
    return std::make_unique<Speed>(spec, gate, threshold);
}

}  // namespace fastpose
