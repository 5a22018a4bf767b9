// Condition: a classifier says so, over a window of features up to this frame.
#include "rule/classifier.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "base/check.h"

namespace fastpose {
namespace {

// The features of the last frames, oldest first, and what a scorer is given of them.
class FeatureWindow {
  public:
    FeatureWindow(int frames, int features)
        : frames_(static_cast<std::size_t>(frames)),
          features_(static_cast<std::size_t>(features)),
          numbers_(frames_ * features_) {}

    // Where the next frame's features go; it counts once push() is called.
    [[nodiscard]] float* next() noexcept { return &numbers_[(first_ + count_) % frames_ * features_]; }
    [[nodiscard]] bool full() const noexcept { return count_ == frames_; }
    void make_room() noexcept {
        if (!full()) return;
        first_ = (first_ + 1) % frames_;
        --count_;
    }
    void push() noexcept { ++count_; }
    void clear() noexcept { count_ = 0; }

    void stack(float* out) const noexcept {
        for (std::size_t frame = 0; frame < frames_; ++frame) out = std::copy_n(row(frame), features_, out);
    }

    // Means, and where `deviations` is not null, standard deviations (of all frames, not of a sample).
    void summarise(float* means, float* deviations) const noexcept {
        const auto count = static_cast<double>(frames_);
        for (std::size_t feature = 0; feature < features_; ++feature) {
            double sum = 0, squares = 0;
            for (std::size_t frame = 0; frame < frames_; ++frame) sum += row(frame)[feature];
            const double mean = sum / count;
            for (std::size_t frame = 0; frame < frames_; ++frame)
                squares += (row(frame)[feature] - mean) * (row(frame)[feature] - mean);
            means[feature] = static_cast<float>(mean);
            if (deviations != nullptr) deviations[feature] = static_cast<float>(std::sqrt(squares / count));
        }
    }

  private:
    [[nodiscard]] const float* row(std::size_t frame) const noexcept {
        return &numbers_[(first_ + frame) % frames_ * features_];
    }

    std::size_t frames_, features_;
    std::vector<float> numbers_;
    std::size_t first_ = 0, count_ = 0;
};

int inputs_of(const ClassifierSpec& spec, int features) {
    if (spec.window == Window::stack) return features * spec.window_frames;
    return spec.window == Window::mean ? features : 2 * features;
}

class Classifier final : public Condition {
  public:
    Classifier(const ClassifierSpec& spec, const Gate& gate)
        : spec_(spec),
          features_(spec.features, gate, spec.hold_ns),
          window_(spec.window_frames, features_.size()),
          numbers_(static_cast<std::size_t>(inputs_of(spec, features_.size()))),
          scores_(static_cast<std::size_t>(spec.scorer->classes())) {
        if (spec.scorer->inputs() != static_cast<int>(numbers_.size()))
            throw ConfigError("features and window give " + std::to_string(numbers_.size()) +
                              " numbers; allowed: the " + std::to_string(spec.scorer->inputs()) +
                              " that the model takes");
        require_index("class_index", spec.class_index, spec.scorer->classes());
    }

    Truth evaluate(const RuleInput& input, bool active) noexcept override {
        const std::int64_t since_ns = input.exposure_start_ns - last_ns_;
        if (last_ns_ >= 0 && (since_ns <= 0 || since_ns > spec_.max_gap_ns)) reset();
        last_ns_ = input.exposure_start_ns;
        window_.make_room();
        if (!features_.write(input, window_.next())) {
            window_.clear();
            return Truth::missing;
        }
        window_.push();
        if (!window_.full()) return Truth::missing;
        gather();
        return spec_.scorer->run(numbers_, scores_) ? judge(active) : Truth::missing;
    }

    void reset() noexcept override {
        features_.reset();
        window_.clear();
        last_ns_ = -1;
    }

  private:
    void gather() noexcept {
        if (spec_.window == Window::stack) return window_.stack(numbers_.data());
        const bool deviations = spec_.window == Window::mean_std;
        window_.summarise(numbers_.data(), deviations ? &numbers_[numbers_.size() / 2] : nullptr);
    }

    [[nodiscard]] Truth judge(bool active) const noexcept {
        const float score = scores_[static_cast<std::size_t>(spec_.class_index)];
        if (!std::isfinite(score)) return Truth::missing;
        if (!spec_.above) {
            const auto most = std::max_element(scores_.begin(), scores_.end()) - scores_.begin();
            return most == spec_.class_index ? Truth::yes : Truth::no;
        }
        const double limit = *spec_.above - (active ? spec_.hysteresis : 0);
        return score > limit ? Truth::yes : Truth::no;
    }

    ClassifierSpec spec_;
    Features features_;
    FeatureWindow window_;
    std::vector<float> numbers_, scores_;
    std::int64_t last_ns_ = -1;
};

}  // namespace

std::unique_ptr<Condition> make_classifier(const ClassifierSpec& spec, const Gate& gate) {
    if (!spec.scorer) throw ConfigError("model is not given; allowed: a model");
    require_between("window_frames", spec.window_frames, 1, 1024);
    require_at_least("hold_ms", static_cast<double>(spec.hold_ns) / 1e6, 0);
    require_above("max_gap_ms", static_cast<double>(spec.max_gap_ns) / 1e6, 0);
    if (spec.above) require_between("above", *spec.above, 0, 1);
    require_between("hysteresis", spec.hysteresis, 0, spec.above.value_or(0));
    return std::make_unique<Classifier>(spec, gate);
}

}  // namespace fastpose
