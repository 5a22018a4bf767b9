// Asks a question of the individuals that a gate names.
#include "rule/question.h"

#include <limits>
#include <utility>

namespace fastpose {
namespace {

class Asked final : public Condition {
  public:
    Asked(const Gate& gate, std::unique_ptr<Question> question)
        : gate_(gate), question_(std::move(question)) {}

    Truth evaluate(const RuleInput& input, bool active) noexcept override {
        if (input.exposure_start_ns <= last_ns_) question_->reset();
        last_ns_ = input.exposure_start_ns;
        question_->observe(input);
        return gate_.evaluate([&](int individual) { return question_->ask(input, individual, active); });
    }

    void reset() noexcept override {
        question_->reset();
        last_ns_ = never;
    }

  private:
    static constexpr std::int64_t never = std::numeric_limits<std::int64_t>::min();

    Gate gate_;
    std::unique_ptr<Question> question_;
    std::int64_t last_ns_ = never;
};

class Both final : public Question {
  public:
    Both(std::unique_ptr<Question> first, std::unique_ptr<Question> second)
        : first_(std::move(first)), second_(std::move(second)) {}

    void observe(const RuleInput& input) noexcept override {
        first_->observe(input);
        second_->observe(input);
    }

    Truth ask(const RuleInput& input, int individual, bool active) noexcept override {
        const Truth first = first_->ask(input, individual, active);
        const Truth second = second_->ask(input, individual, active);
        if (first == Truth::no || second == Truth::no) return Truth::no;
        return first == Truth::yes ? second : first;
    }

    void reset() noexcept override {
        first_->reset();
        second_->reset();
    }

  private:
    std::unique_ptr<Question> first_, second_;
};

}  // namespace

std::unique_ptr<Condition> make_condition(const Gate& gate, std::unique_ptr<Question> question) {
    return std::make_unique<Asked>(gate, std::move(question));
}

std::unique_ptr<Question> make_both(std::unique_ptr<Question> first, std::unique_ptr<Question> second) {
    return std::make_unique<Both>(std::move(first), std::move(second));
}

}  // namespace fastpose
