// Questions on the motion of bodyparts: speed, standing still, acceleration.
#include "rule/speed.h"

#include "base/check.h"
#include "rule/positions.h"

namespace fastpose {
namespace {

class Speed final : public Compared {
  public:
    Speed(const SpeedSpec& spec, const Gate& gate)
        : Compared(Threshold(spec.limit)),
          positions_(gate, {spec.bodypart}, checked_window_ns(spec.window_ms)) {}

    void observe(const RuleInput& input) noexcept override { positions_.observe(input); }
    void reset() noexcept override { positions_.clear(); }

  private:
    double value(const RuleInput& input, int individual) noexcept override {
        return positions_.speed(input, individual, 0);
    }

    Positions positions_;
};

class Freezing final : public Question {
  public:
    Freezing(const FreezingSpec& spec, const Gate& gate)
        : threshold_(spec.limit),
          decisive_(spec.which == Which::all ? Truth::no : Truth::yes),
          positions_(gate, spec.bodyparts, checked_window_ns(spec.window_ms)) {}

    void observe(const RuleInput& input) noexcept override { positions_.observe(input); }
    void reset() noexcept override { positions_.clear(); }

    Truth ask(const RuleInput& input, int individual, bool active) noexcept override {
        const bool all = decisive_ == Truth::no;
        Truth found = all ? Truth::yes : Truth::missing;
        for (std::size_t part = 0; part < positions_.parts(); ++part) {
            const Truth truth = test(positions_.speed(input, individual, part), active);
            if (truth == decisive_) return truth;
            if (truth == (all ? Truth::missing : Truth::no)) found = truth;
        }
        return found;
    }

  private:
    [[nodiscard]] Truth test(double speed, bool active) const noexcept {
        return std::isnan(speed) ? Truth::missing : threshold_.test(speed, active);
    }

    Threshold threshold_;
    Truth decisive_;
    Positions positions_;
};

class Acceleration final : public Compared {
  public:
    Acceleration(const AccelerationSpec& spec, const Gate& gate)
        : Compared(Threshold(spec.limit)),
          change_(spec.change),
          positions_(gate, {spec.bodypart}, checked_window_ns(spec.window_ms)) {}

    void observe(const RuleInput& input) noexcept override { positions_.observe(input); }
    void reset() noexcept override { positions_.clear(); }

  private:
    struct Velocity {
        double x, y;
        [[nodiscard]] double speed() const noexcept { return std::hypot(x, y); }
    };

    double value(const RuleInput& input, int individual) noexcept override {
        constexpr double none = std::numeric_limits<double>::quiet_NaN();
        const std::int64_t now_ns = input.exposure_start_ns;
        const auto place = positions_.now(input.pose, individual, 0);
        const History<Place>& history = positions_.of(individual, 0);
        if (!place || !history.reaches_back(now_ns)) return none;
        const auto& oldest = history.oldest();
        const std::size_t until = history.count_until(oldest.time_ns + (now_ns - oldest.time_ns) / 2);
        const std::size_t middle = until > 1 ? until - 1 : 1;
        if (middle >= history.size() || history.at(middle).time_ns >= now_ns) return none;
        const Velocity before = velocity(oldest, history.at(middle));
        const Velocity after = velocity(history.at(middle), {now_ns, *place});
        return change(before, after) / (static_cast<double>(now_ns - oldest.time_ns) * 0.5e-9);
    }

    static Velocity velocity(const History<Place>::Sample& from, const History<Place>::Sample& to) noexcept {
        const double time_s = static_cast<double>(to.time_ns - from.time_ns) * 1e-9;
        return {(to.value.x - from.value.x) / time_s, (to.value.y - from.value.y) / time_s};
    }

    [[nodiscard]] double change(const Velocity& before, const Velocity& after) const noexcept {
        if (change_ == Change::any) return std::hypot(after.x - before.x, after.y - before.y);
        const double faster = after.speed() - before.speed();
        if (change_ == Change::faster) return one_sided(faster);
        return one_sided(-faster);
    }

    // The other way is no small change this way.
    [[nodiscard]] double one_sided(double amount) const noexcept {
        return amount > 0 || threshold().above() ? amount : std::numeric_limits<double>::infinity();
    }

    Change change_;
    Positions positions_;
};

}  // namespace

std::unique_ptr<Question> make_speed(const SpeedSpec& spec, const Gate& gate) {
    gate.require_bodypart(spec.bodypart);
    return std::make_unique<Speed>(spec, gate);
}

std::unique_ptr<Question> make_freezing(const FreezingSpec& spec, const Gate& gate) {
    if (spec.bodyparts.empty()) throw ConfigError("bodyparts is empty; allowed: at least one bodypart");
    for (const int bodypart : spec.bodyparts) gate.require_bodypart(bodypart);
    if (!spec.limit.below)
        throw ConfigError("below_" + spec.limit.unit + " is not given; allowed: a speed that is hardly one");
    return std::make_unique<Freezing>(spec, gate);
}

std::unique_ptr<Question> make_acceleration(const AccelerationSpec& spec, const Gate& gate) {
    gate.require_bodypart(spec.bodypart);
    return std::make_unique<Acceleration>(spec, gate);
}

}  // namespace fastpose
