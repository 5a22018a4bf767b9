// Forests and linear models, run natively.
#include "rule/scorer.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "base/error.h"

namespace fastpose {
namespace {

void require(bool good, const std::string& what) {
    if (!good) throw ModelError("the classifier's " + what);
}

class Ends {
  public:
    Ends(ScorerEnds ends, int inputs) : ends_(std::move(ends)), numbers_(static_cast<std::size_t>(inputs)) {
        const std::size_t offsets = ends_.offset.size(), scales = ends_.scale.size();
        require(inputs > 0, "number of inputs is not above 0");
        require(offsets == 0 || offsets == numbers_.size(), "offsets are not one an input");
        require(scales == 0 || scales == numbers_.size(), "scales are not one an input");
    }

    std::span<const float> begin(std::span<const float> numbers) noexcept {
        for (std::size_t i = 0; i < numbers_.size(); ++i) {
            const float offset = ends_.offset.empty() ? 0.0F : ends_.offset[i];
            numbers_[i] = (numbers[i] - offset) * (ends_.scale.empty() ? 1.0F : ends_.scale[i]);
        }
        return numbers_;
    }

    void finish(std::span<float> scores) const noexcept {
        if (ends_.activation == Activation::logistic)
            for (float& score : scores) score = 1.0F / (1.0F + std::exp(-score));
        if (ends_.activation == Activation::softmax) {
            const float most = *std::max_element(scores.begin(), scores.end());
            for (float& score : scores) score = std::exp(score - most);
        }
        if (ends_.activation == Activation::softmax || ends_.divide_by_sum) divide_by_sum(scores);
    }

  private:
    static void divide_by_sum(std::span<float> scores) noexcept {
        const float sum = std::accumulate(scores.begin(), scores.end(), 0.0F,
                                          [](float total, float score) { return total + std::abs(score); });
        if (sum > 0)
            for (float& score : scores) score /= sum;
    }

    ScorerEnds ends_;
    std::vector<float> numbers_;
};

class Forest final : public Scorer {
  public:
    explicit Forest(ForestSpec spec) : spec_(std::move(spec)), ends_(spec_.ends, spec_.inputs) {
        require(spec_.classes > 0, "number of classes is not above 0");
        require(!spec_.roots.empty(), "forest has no tree");
        require(spec_.base.empty() || spec_.base.size() == static_cast<std::size_t>(spec_.classes),
                "base values are not one a class");
        for (const int root : spec_.roots) require(is_node(root), "tree has a root that is not there");
        for (std::size_t i = 0; i < spec_.nodes.size(); ++i) check(static_cast<int>(i), spec_.nodes[i]);
        for (const auto& weight : spec_.weights)
            require(weight.of_class >= 0 && weight.of_class < spec_.classes,
                    "leaf is of a class that is not there");
    }

    [[nodiscard]] int inputs() const noexcept override { return spec_.inputs; }
    [[nodiscard]] int classes() const noexcept override { return spec_.classes; }
    [[nodiscard]] std::string description() const override {
        return "forest of " + std::to_string(spec_.roots.size()) + " trees, native";
    }

    bool run(std::span<const float> numbers, std::span<float> scores) noexcept override {
        const std::span<const float> scaled = ends_.begin(numbers);
        for (std::size_t i = 0; i < scores.size(); ++i) scores[i] = spec_.base.empty() ? 0.0F : spec_.base[i];
        for (const int root : spec_.roots) add_leaf(root, scaled, scores);
        if (spec_.complement && spec_.ends.activation == Activation::none) scores[0] = 1.0F - scores[1];
        if (spec_.complement && spec_.ends.activation != Activation::none) scores[0] = -scores[1];
        ends_.finish(scores);
        return true;
    }

  private:
    [[nodiscard]] bool is_node(int node) const {
        return node >= 0 && node < static_cast<int>(spec_.nodes.size());
    }

    // Branches lead onwards only: no tree goes round in a circle.
    void check(int index, const ForestSpec::Node& node) const {
        if (node.feature < 0) {
            require(node.first_weight >= 0 && node.weights >= 0 &&
                        node.first_weight + node.weights <= static_cast<int>(spec_.weights.size()),
                    "leaf has weights that are not there");
            return;
        }
        require(node.feature < spec_.inputs, "tree asks for a number that is not there");
        require(is_node(node.left) && is_node(node.right) && node.left > index && node.right > index,
                "tree has a branch that leads nowhere");
    }

    void add_leaf(int node, std::span<const float> numbers, std::span<float> scores) const noexcept {
        const ForestSpec::Node* at = &spec_.nodes[static_cast<std::size_t>(node)];
        while (at->feature >= 0) {
            const bool left = numbers[static_cast<std::size_t>(at->feature)] <= at->threshold;
            at = &spec_.nodes[static_cast<std::size_t>(left ? at->left : at->right)];
        }
        for (int i = 0; i < at->weights; ++i) {
            const auto& weight = spec_.weights[static_cast<std::size_t>(at->first_weight + i)];
            scores[static_cast<std::size_t>(weight.of_class)] += weight.value;
        }
    }

    ForestSpec spec_;
    Ends ends_;
};

class Linear final : public Scorer {
  public:
    explicit Linear(LinearSpec spec) : spec_(std::move(spec)), ends_(spec_.ends, spec_.inputs) {
        const auto classes = static_cast<std::size_t>(spec_.classes);
        require(spec_.classes > 0, "number of classes is not above 0");
        require(spec_.coefficients.size() == classes * static_cast<std::size_t>(spec_.inputs),
                "coefficients are not one a class and input");
        require(spec_.intercepts.size() == classes, "intercepts are not one a class");
    }

    [[nodiscard]] int inputs() const noexcept override { return spec_.inputs; }
    [[nodiscard]] int classes() const noexcept override { return spec_.classes; }
    [[nodiscard]] std::string description() const override { return "linear model, native"; }

    bool run(std::span<const float> numbers, std::span<float> scores) noexcept override {
        const std::span<const float> scaled = ends_.begin(numbers);
        const float* row = spec_.coefficients.data();
        for (std::size_t i = 0; i < scores.size(); ++i, row += spec_.inputs)
            scores[i] = std::inner_product(scaled.begin(), scaled.end(), row, spec_.intercepts[i]);
        ends_.finish(scores);
        return true;
    }

  private:
    LinearSpec spec_;
    Ends ends_;
};

}  // namespace

std::shared_ptr<Scorer> make_forest(ForestSpec spec) { return std::make_shared<Forest>(std::move(spec)); }

std::shared_ptr<Scorer> make_linear(LinearSpec spec) { return std::make_shared<Linear>(std::move(spec)); }

}  // namespace fastpose
