// Question: does a bodypart cross a line in this frame?
#include "rule/crossing.h"

#include <cmath>
#include <string>
#include <vector>

#include "base/check.h"

namespace fastpose {
namespace {

// Where one individual is with respect to the line.
struct Walker {
    std::int64_t seen_ns = -1;  // -1: not, or too long ago
    double behind = 0;          // signed distance to the endless line; positive: right of it
    double along = 0;           // foot of the perpendicular: 0 at the first end, 1 at the second
    int side = 0;               // -1 left, 1 right, by more than the hysteresis; 0: not known
    bool through = false;       // the way met the line itself when it last met the endless one
    bool crosses = false;       // in this frame
};

class Crossing final : public Question {
  public:
    Crossing(const CrossingSpec& spec, const Gate& gate)
        : spec_(spec),
          max_gap_ns_(std::llround(spec.max_gap_ms * 1e6)),
          line_{spec.to[0] - spec.from[0], spec.to[1] - spec.from[1]},
          length_(std::hypot(line_.x, line_.y)),
          gate_(gate),
          walkers_(static_cast<std::size_t>(gate.individuals())) {}

    void observe(const RuleInput& input) noexcept override {
        for (std::size_t i = 0; i < walkers_.size(); ++i) {
            Walker& walker = walkers_[i];
            walker.crosses = false;
            const auto place = gate_.place(input.pose, static_cast<int>(i), spec_.bodypart);
            if (place) walk(walker, *place, input.exposure_start_ns);
        }
    }

    Truth ask(const RuleInput&, int individual, bool) noexcept override {
        return walkers_[static_cast<std::size_t>(individual)].crosses ? Truth::yes : Truth::no;
    }

    void reset() noexcept override {
        for (Walker& walker : walkers_) walker = {};
    }

  private:
    void walk(Walker& walker, const Place& place, std::int64_t now_ns) const noexcept {
        const double x = place.x - spec_.from[0], y = place.y - spec_.from[1];
        const double behind = (line_.x * y - line_.y * x) / length_;
        const double along = (line_.x * x + line_.y * y) / (length_ * length_);
        if (walker.seen_ns < 0 || now_ns - walker.seen_ns > max_gap_ns_) walker = {};
        const bool follows = walker.seen_ns >= 0;
        if (follows && (walker.behind > 0) != (behind > 0)) {
            const double part = walker.behind / (walker.behind - behind);
            const double met = walker.along + part * (along - walker.along);
            walker.through = met >= 0 && met <= 1;
        }
        walker.behind = behind, walker.along = along, walker.seen_ns = now_ns;
        if (std::abs(behind) > spec_.hysteresis) arrive(walker, behind > 0 ? 1 : -1);
    }

    void arrive(Walker& walker, int side) const noexcept {
        const bool wanted = spec_.side == Side::both || (spec_.side == Side::right) == (side > 0);
        walker.crosses = walker.side == -side && walker.through && wanted;
        walker.side = side;
    }

    CrossingSpec spec_;
    std::int64_t max_gap_ns_;
    Place line_;
    double length_;
    Gate gate_;
    std::vector<Walker> walkers_;  // one per individual
};

}  // namespace

std::unique_ptr<Question> make_crossing(const CrossingSpec& spec, const Gate& gate) {
    gate.require_bodypart(spec.bodypart);
    for (const double coordinate : {spec.from[0], spec.from[1], spec.to[0], spec.to[1]})
        require_coordinate("line", coordinate);
    require_above("the length of the line", std::hypot(spec.to[0] - spec.from[0], spec.to[1] - spec.from[1]),
                  0);
    require_at_least(std::string("hysteresis_") + gate.unit(), spec.hysteresis, 0);
    require_above("max_gap_ms", spec.max_gap_ms, 0);
    return std::make_unique<Crossing>(spec, gate);
}

}  // namespace fastpose
