// A network as the scorer of a classifier rule.
#include "engine/backend_scorer.h"

#include <algorithm>
#include <utility>

#include "base/error.h"

namespace fastpose {
namespace {

class BackendScorer final : public Scorer {
  public:
    explicit BackendScorer(std::shared_ptr<Backend> backend) : backend_(std::move(backend)) {
        const auto shape = backend_->input_shape();
        if (backend_->input().format.element != ElementType::f32 || shape[0] != 1)
            throw ModelError("a classifier takes one row of f32 numbers; this one does not");
        inputs_ = shape[1] * shape[2] * shape[3];
        if (backend_->outputs().size() != 1)
            throw ModelError("a classifier has " + std::to_string(backend_->outputs().size()) +
                             " outputs; allowed: its scores");
        classes_ = static_cast<int>(backend_->outputs()[0].size());
    }

    [[nodiscard]] int inputs() const noexcept override { return inputs_; }
    [[nodiscard]] int classes() const noexcept override { return classes_; }
    [[nodiscard]] std::string description() const override { return backend_->description(); }

    bool run(std::span<const float> numbers, std::span<float> scores) noexcept override {
        std::copy(numbers.begin(), numbers.end(), static_cast<float*>(backend_->input().data));
        if (!backend_->run()) return false;
        const TensorView view = backend_->outputs()[0];
        std::copy_n(view.data, std::min(scores.size(), view.size()), scores.begin());
        return true;
    }

  private:
    std::shared_ptr<Backend> backend_;
    int inputs_ = 0, classes_ = 0;
};

}  // namespace

std::shared_ptr<Scorer> make_backend_scorer(std::shared_ptr<Backend> backend) {
    return std::make_shared<BackendScorer>(std::move(backend));
}

}  // namespace fastpose
