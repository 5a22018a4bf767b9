// Which keypoints of which individuals a condition looks at: the part that all conditions share.
#pragma once
#include <memory>
#include <optional>

#include "pose/pose.h"
#include "rule/calibration.h"
#include "rule/rule.h"

namespace fastpose {

struct GateSpec {
    double min_likelihood = 0.6;                       // keypoints below, or NaN, are missing
    std::optional<int> individual{};                   // empty: any or all of them
    bool all = false;                                  // of the individuals, where none is named; else any
    int unique_bodyparts = 0;                          // the last ones, see Note [Unique body parts]
    std::shared_ptr<const Calibration> calibration{};  // places are in mm; null: in px
};

// Note [Unique body parts]: the last individual of a pose may be no animal but what exists once in the frame,
// a lever or a corner, whose bodyparts are the last ones. They are there for every animal: a condition may
// compare an animal's snout with the lever. "Any" and "all" therefore ask the animals alone, and the last
// individual is asked only where it is named, for its own bodyparts.

class Gate {
  public:
    // Throws ConfigError; individuals and bodyparts are what the poses will have.
    Gate(const GateSpec& spec, int individuals, int bodyparts);

    // Throws ConfigError unless `bodypart` is an index into the pose that the individuals can have.
    void require_bodypart(int bodypart) const;

    // The keypoint, or nullptr when it is missing. A unique bodypart is the same for every individual.
    [[nodiscard]] const Keypoint* visible(const PoseView& pose, int individual, int bodypart) const noexcept;

    // Where it is, px or, with a calibration, mm; empty when it is missing.
    [[nodiscard]] std::optional<Place> place(const PoseView& pose, int individual,
                                             int bodypart) const noexcept;
    // A place of the frame, px, in the gate's unit.
    [[nodiscard]] Place in_unit(Place px) const noexcept {
        return calibration_ ? calibration_->to_mm(px) : px;
    }

    // test(individual) -> Truth for the one individual; for any: yes if one says yes, missing if all are; for
    // all: no if one says no, missing if one is.
    template <class Test>
    [[nodiscard]] Truth evaluate(Test test) const noexcept {
        if (individual_) return test(*individual_);
        const Truth decisive = all_ ? Truth::no : Truth::yes;
        Truth found = all_ ? Truth::yes : Truth::missing;
        for (int individual = 0; individual < animals_; ++individual) {
            const Truth truth = test(individual);
            if (truth == decisive) return truth;
            if (truth == (all_ ? Truth::missing : Truth::no)) found = truth;
        }
        return found;
    }

    [[nodiscard]] int individuals() const noexcept { return individuals_; }
    [[nodiscard]] int animals() const noexcept { return animals_; }
    [[nodiscard]] int bodyparts() const noexcept { return bodyparts_; }
    [[nodiscard]] const char* unit() const noexcept { return calibration_ ? "mm" : "px"; }

  private:
    float min_likelihood_;  // float as likelihoods are, so that 0.7 passes a gate of 0.7
    std::optional<int> individual_;
    bool all_;
    int individuals_, animals_;  // with and without the one that has the unique bodyparts
    int bodyparts_, common_;     // with and without these
    std::shared_ptr<const Calibration> calibration_;
};

}  // namespace fastpose
