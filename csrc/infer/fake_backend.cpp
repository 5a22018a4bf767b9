// Replays stored outputs; run() only moves pointers.
#include "infer/fake_backend.h"

#include <string>

#include "base/error.h"

namespace fastpose {
namespace {

std::size_t elements(const std::array<int, 4>& shape) { return TensorView{nullptr, shape}.size(); }

class FakeBackend final : public Backend {
  public:
    FakeBackend(std::array<int, 4> input_shape, std::vector<FakeOutput> outputs, TensorFormat input_format)
        : input_shape_(input_shape),
          input_format_(input_format),
          input_(elements(input_shape)),
          stored_(std::move(outputs)) {
        for (const FakeOutput& output : stored_) {
            const std::size_t size = elements(output.shape);
            if (size == 0 || output.values.empty() || output.values.size() % size != 0)
                throw ModelError("stored output holds " + std::to_string(output.values.size()) +
                                 " values: allowed is a multiple of its shape's size, " +
                                 std::to_string(size));
            const std::size_t results = output.values.size() / size;
            if (results_ != 0 && results != results_)
                throw ModelError("stored outputs hold " + std::to_string(results_) + " and " +
                                 std::to_string(results) + " results: they must agree");
            results_ = results;
            views_.push_back({output.values.data(), output.shape});
        }
    }

    [[nodiscard]] std::array<int, 4> input_shape() const noexcept override { return input_shape_; }
    [[nodiscard]] InputView input() noexcept override { return {input_.data(), input_format_}; }
    [[nodiscard]] bool run() noexcept override {
        for (std::size_t i = 0; i < views_.size(); ++i)
            views_[i].data = stored_[i].values.data() + next_ * views_[i].size();
        next_ = results_ == 0 ? 0 : (next_ + 1) % results_;
        return true;
    }
    void warm_up() noexcept override {}  // what it replays stays in its order
    [[nodiscard]] std::span<const TensorView> outputs() const noexcept override { return views_; }
    [[nodiscard]] const char* last_error() const noexcept override { return ""; }
    [[nodiscard]] std::string description() const override { return "fake"; }

  private:
    std::array<int, 4> input_shape_;
    TensorFormat input_format_;
    std::vector<float> input_;  // room for elements of either type
    std::vector<FakeOutput> stored_;
    std::vector<TensorView> views_;
    std::size_t results_ = 0, next_ = 0;
};

}  // namespace

std::unique_ptr<Backend> make_fake_backend(std::array<int, 4> input_shape, std::vector<FakeOutput> outputs,
                                           TensorFormat input_format) {
    return std::make_unique<FakeBackend>(input_shape, std::move(outputs), input_format);
}

}  // namespace fastpose
