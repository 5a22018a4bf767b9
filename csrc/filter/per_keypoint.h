// Turns a model of one keypoint into a Filter of a pose: gaps, restarts and missing keypoints, once for all
// models.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

#include "base/check.h"
#include "filter/filter.h"

namespace fastpose {

// Model has a default-constructible State and, all noexcept and const:
//   bool is_usable(keypoint)              whether there is anything to filter
//   void start(state, keypoint)           first keypoint, or first after a long gap
//   void update(state, keypoint, step_s)  step_s > 0 since the last usable keypoint, which may be many frames
//   ago void write(state, keypoint)           the estimate into x and y
template <class Model>
class PerKeypoint final : public Filter {
  public:
    PerKeypoint(Model model, double max_gap_ms, int individuals, int bodyparts) : model_(model) {
        require_between("max_gap_ms", max_gap_ms, 0, 86'400'000);
        require_at_least("individuals", individuals, 1);
        require_at_least("bodyparts", bodyparts, 1);
        max_gap_ns_ = std::llround(max_gap_ms * 1e6);
        tracks_.resize(static_cast<std::size_t>(individuals) * bodyparts);
    }

    void apply(PoseView pose, std::int64_t exposure_start_ns) noexcept override {
        if (exposure_start_ns <= last_ns_) reset();
        last_ns_ = exposure_start_ns;
        const int count = std::min(pose.size(), size());
        for (int i = 0; i < count; ++i) step(tracks_[i], pose.keypoints[i], exposure_start_ns);
    }

    void reset() noexcept override {
        std::fill(tracks_.begin(), tracks_.end(), Track{});
        last_ns_ = never;
    }

    void expect_delay(std::int64_t work_ns) noexcept override {
        if constexpr (requires { model_.expect_delay(work_ns); }) model_.expect_delay(work_ns);
    }
    void learn_delay(std::int64_t exposure_start_ns, std::int64_t decided_ns,
                     std::int64_t acted_ns) noexcept override {
        if constexpr (requires { model_.learn_delay(exposure_start_ns, decided_ns, acted_ns); })
            model_.learn_delay(exposure_start_ns, decided_ns, acted_ns);
    }
    std::int64_t horizon_ns() const noexcept override {
        if constexpr (requires { model_.horizon_ns(); }) return model_.horizon_ns();
        return 0;
    }

    int size() const noexcept override { return static_cast<int>(tracks_.size()); }

  private:
    static constexpr std::int64_t never = std::numeric_limits<std::int64_t>::min();

    struct Track {
        typename Model::State state{};
        std::int64_t time_ns = 0;  // of the last usable keypoint
        bool started = false;
    };

    void step(Track& track, Keypoint& keypoint, std::int64_t time_ns) const noexcept {
        if (!std::isfinite(keypoint.x) || !std::isfinite(keypoint.y) || !model_.is_usable(keypoint)) {
            keypoint.x = keypoint.y = std::numeric_limits<float>::quiet_NaN();
            return;
        }
        const std::int64_t gap_ns = time_ns - track.time_ns;
        if (track.started && gap_ns <= max_gap_ns_) {
            model_.update(track.state, keypoint, static_cast<double>(gap_ns) * 1e-9);
        } else {
            model_.start(track.state, keypoint);
        }
        track.time_ns = time_ns;
        track.started = true;
        model_.write(track.state, keypoint);
    }

    Model model_;
    std::int64_t max_gap_ns_ = 0;
    std::vector<Track> tracks_;
    std::int64_t last_ns_ = never;
};

}  // namespace fastpose
