// What is asked of one individual: a condition is a question and the individuals that it is asked of.
#pragma once
#include <cmath>
#include <cstdint>
#include <memory>

#include "rule/gate.h"
#include "rule/threshold.h"

namespace fastpose {

// Thread-bound; allocates nothing after construction.
class Question {
  public:
    virtual ~Question() = default;
    // Once a frame, before anyone is asked, and for every individual: also when the first one decides.
    virtual void observe(const RuleInput&) noexcept {}
    [[nodiscard]] virtual Truth ask(const RuleInput& input, int individual, bool active) noexcept = 0;
    virtual void reset() noexcept {}
};

// A question that is a number and its limit.
class Compared : public Question {
  public:
    explicit Compared(const Threshold& threshold) : threshold_(threshold) {}

    Truth ask(const RuleInput& input, int individual, bool active) noexcept final {
        const double number = value(input, individual);
        return std::isnan(number) ? Truth::missing : threshold_.test(number, active);
    }

  protected:
    // NaN: it cannot be said.
    [[nodiscard]] virtual double value(const RuleInput& input, int individual) noexcept = 0;
    [[nodiscard]] const Threshold& threshold() const noexcept { return threshold_; }

  private:
    Threshold threshold_;
};

// A time that does not go on (a clock that was set) resets the question.
[[nodiscard]] std::unique_ptr<Condition> make_condition(const Gate& gate, std::unique_ptr<Question> question);

// Both of the same individual; missing if one is and the other does not say no.
[[nodiscard]] std::unique_ptr<Question> make_both(std::unique_ptr<Question> first,
                                                  std::unique_ptr<Question> second);

}  // namespace fastpose
