// What a bodypart may be near to, or come nearer to: a place, or a bodypart of somebody.
#pragma once
#include <array>
#include <limits>
#include <optional>

#include "rule/gate.h"

namespace fastpose {

enum class Whose : int { own = 0, others = 1, named = 2 };

struct TargetSpec {
    std::optional<std::array<double, 2>> point{};  // in the gate's unit; else a bodypart
    int bodypart = 0;
    Whose whose = Whose::others;  // others: of every other animal
    int individual = 0;           // named only
};

// Distances from a bodypart of one individual to each of its targets.
class Target {
  public:
    // Throws ConfigError for bodyparts and individuals that the gate's poses do not have.
    Target(const TargetSpec& spec, int bodypart, const Gate& gate);

    // How many targets everyone may have; some of them may not be there.
    [[nodiscard]] int count() const noexcept { return spec_.whose == Whose::others ? gate_.animals() : 1; }
    // NaN: the individual itself, or it or the target is missing.
    [[nodiscard]] double distance(const PoseView& pose, int individual, int target) const noexcept;

  private:
    [[nodiscard]] std::optional<Place> place(const PoseView& pose, int individual, int target) const noexcept;

    TargetSpec spec_;
    int bodypart_;
    Gate gate_;
};

}  // namespace fastpose
