// Numbers in, a score for each class out: what classifier rules run.
#pragma once
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace fastpose {

// Thread-bound. run() does not throw; those of this folder do not allocate in it.
class Scorer {
  public:
    virtual ~Scorer() = default;
    [[nodiscard]] virtual int inputs() const noexcept = 0;
    [[nodiscard]] virtual int classes() const noexcept = 0;
    // false: it failed, and there are no scores.
    [[nodiscard]] virtual bool run(std::span<const float> numbers, std::span<float> scores) noexcept = 0;
    [[nodiscard]] virtual std::string description() const = 0;
};

enum class Activation : int { none = 0, logistic = 1, softmax = 2 };

// What both of the following do before and after: numbers are shifted and scaled, scores activated, and
// divided by their sum where that is asked for.
struct ScorerEnds {
    std::vector<float> offset{}, scale{};  // one each a number, or empty: (number - offset) * scale
    Activation activation = Activation::none;
    bool divide_by_sum = false;
};

// A tree is a run of nodes; its first one is the root. Scores start from `base` and get the leaves' weights.
struct ForestSpec {
    struct Node {
        int feature = -1;     // -1: a leaf
        float threshold = 0;  // number <= threshold goes left
        int left = 0, right = 0;
        int first_weight = 0, weights = 0;  // of a leaf
    };
    struct Weight {
        int of_class = 0;
        float value = 0;
    };
    int inputs = 0, classes = 0;
    std::vector<Node> nodes{};
    std::vector<int> roots{};
    std::vector<Weight> weights{};
    std::vector<float> base{};  // one a class, or empty: 0
    bool complement = false;    // two classes of which the trees know the second: the first is 1 less it
    ScorerEnds ends{};
};
[[nodiscard]] std::shared_ptr<Scorer> make_forest(ForestSpec spec);  // throws ModelError

struct LinearSpec {
    int inputs = 0, classes = 0;
    std::vector<float> coefficients{};  // classes x inputs
    std::vector<float> intercepts{};    // one a class
    ScorerEnds ends{};
};
[[nodiscard]] std::shared_ptr<Scorer> make_linear(LinearSpec spec);  // throws ModelError

}  // namespace fastpose
