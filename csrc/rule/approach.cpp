// Questions on a bodypart and its targets: in contact, coming nearer, going away.
#include "rule/approach.h"

#include <vector>

#include "base/check.h"
#include "rule/history.h"

namespace fastpose {
namespace {

constexpr double none = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t capacity = 256;  // distances a window and pair

class Contact final : public Compared {
  public:
    Contact(const ContactSpec& spec, const Gate& gate)
        : Compared(Threshold(spec.limit)), target_(spec.to, spec.bodypart, gate) {}

  private:
    double value(const RuleInput& input, int individual) noexcept override {
        double nearest = none;
        for (int target = 0; target < target_.count(); ++target)
            nearest = std::fmin(nearest, target_.distance(input.pose, individual, target));
        return nearest;
    }

    Target target_;
};

class Approach final : public Compared {
  public:
    Approach(const ApproachSpec& spec, const Gate& gate)
        : Compared(Threshold(spec.limit)),
          sign_(spec.away ? 1 : -1),
          individuals_(gate.individuals()),
          target_(spec.to, spec.bodypart, gate),
          distances_(static_cast<std::size_t>(individuals_ * target_.count()),
                     History<double>(checked_window_ns(spec.window_ms), capacity)) {}

    void observe(const RuleInput& input) noexcept override {
        for (int individual = 0; individual < individuals_; ++individual)
            for (int target = 0; target < target_.count(); ++target) {
                History<double>& history = distances_[index(individual, target)];
                history.forget_before(input.exposure_start_ns);
                const double distance = target_.distance(input.pose, individual, target);
                if (!std::isnan(distance)) history.add(input.exposure_start_ns, distance);
            }
    }

    void reset() noexcept override {
        for (History<double>& history : distances_) history.clear();
    }

  private:
    double value(const RuleInput& input, int individual) noexcept override {
        double most = none;
        for (int target = 0; target < target_.count(); ++target)
            most = std::fmax(most, sign_ * rate(input, individual, target));
        return most;
    }

    [[nodiscard]] double rate(const RuleInput& input, int individual, int target) const noexcept {
        const double distance = target_.distance(input.pose, individual, target);
        const History<double>& history = distances_[index(individual, target)];
        if (std::isnan(distance) || !history.reaches_back(input.exposure_start_ns)) return none;
        const auto& oldest = history.oldest();
        return (distance - oldest.value) /
               (static_cast<double>(input.exposure_start_ns - oldest.time_ns) * 1e-9);
    }

    [[nodiscard]] std::size_t index(int individual, int target) const noexcept {
        return static_cast<std::size_t>(individual * target_.count() + target);
    }

    double sign_;
    int individuals_;
    Target target_;
    std::vector<History<double>> distances_;  // of every individual to each of its targets
};

}  // namespace

std::unique_ptr<Question> make_contact(const ContactSpec& spec, const Gate& gate) {
    return std::make_unique<Contact>(spec, gate);
}

std::unique_ptr<Question> make_approach(const ApproachSpec& spec, const Gate& gate) {
    if (!spec.limit.above)
        throw ConfigError("above_" + spec.limit.unit + " is not given; allowed: the speed of coming nearer");
    return std::make_unique<Approach>(spec, gate);
}

}  // namespace fastpose
