// Question: does an individual, or a joint of it, turn faster, or slower, than a limit?
#include "rule/angular_velocity.h"

#include <string>

#include "base/check.h"
#include "rule/history.h"

namespace fastpose {
namespace {

// A heading that goes round and round without a seam at 180 degrees.
class Unrolled {
  public:
    explicit Unrolled(std::int64_t window_ns) : turned_deg_(window_ns) {}

    void forget_before(std::int64_t now_ns) noexcept { turned_deg_.forget_before(now_ns); }
    void add(std::int64_t now_ns, double heading_deg) noexcept {
        if (turned_deg_.size() > 0) sum_deg_ += std::remainder(heading_deg - last_deg_, 360.0);
        last_deg_ = heading_deg;
        turned_deg_.add(now_ns, sum_deg_);
    }
    void clear() noexcept { turned_deg_.clear(); }
    // NaN: no earlier heading in the window.
    [[nodiscard]] double rate_deg_s(std::int64_t now_ns) const noexcept {
        if (!turned_deg_.reaches_back(now_ns)) return no_angle;
        const auto& oldest = turned_deg_.oldest();
        return (sum_deg_ - oldest.value) / (static_cast<double>(now_ns - oldest.time_ns) * 1e-9);
    }

  private:
    History<double> turned_deg_;
    double sum_deg_ = 0, last_deg_ = 0;
};

class AngularVelocity final : public Compared {
  public:
    AngularVelocity(const AngularVelocitySpec& spec, const Gate& gate)
        : Compared(Threshold(spec.limit)),
          spec_(spec),
          gate_(gate),
          headings_(static_cast<std::size_t>(gate.individuals()),
                    Unrolled(checked_window_ns(spec.window_ms))),
          present_(headings_.size()) {}

    void observe(const RuleInput& input) noexcept override {
        for (std::size_t i = 0; i < headings_.size(); ++i) {
            headings_[i].forget_before(input.exposure_start_ns);
            const double heading_deg = heading(input.pose, static_cast<int>(i));
            present_[i] = std::isnan(heading_deg) ? 0 : 1;
            if (present_[i] != 0) headings_[i].add(input.exposure_start_ns, heading_deg);
        }
    }

    void reset() noexcept override {
        for (Unrolled& heading : headings_) heading.clear();
    }

  private:
    double value(const RuleInput& input, int individual) noexcept override {
        const auto i = static_cast<std::size_t>(individual);
        if (present_[i] == 0) return no_angle;
        const double rate_deg_s = headings_[i].rate_deg_s(input.exposure_start_ns);
        return amount_to(spec_.side, rate_deg_s, threshold().above());
    }

    [[nodiscard]] double heading(const PoseView& pose, int individual) const noexcept {
        Place at[3] = {};
        for (std::size_t i = 0; i < spec_.bodyparts.size(); ++i) {
            const auto place = gate_.place(pose, individual, spec_.bodyparts[i]);
            if (!place) return no_angle;
            at[i] = *place;
        }
        if (spec_.bodyparts.size() == 2) return turn_deg({1, 0}, way(at[0], at[1]));
        return turn_deg(way(at[1], at[0]), way(at[1], at[2]));
    }

    AngularVelocitySpec spec_;
    Gate gate_;
    std::vector<Unrolled> headings_;  // one per individual
    std::vector<char> present_;       // it has a heading in this frame
};

}  // namespace

std::unique_ptr<Question> make_angular_velocity(const AngularVelocitySpec& spec, const Gate& gate) {
    require_between("the number of bodyparts", static_cast<double>(spec.bodyparts.size()), 2, 3);
    for (const int bodypart : spec.bodyparts) gate.require_bodypart(bodypart);
    return std::make_unique<AngularVelocity>(spec, gate);
}

}  // namespace fastpose
