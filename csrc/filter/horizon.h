// How far a filter predicts: a fixed time, or as long as it takes from exposure to action.
#pragma once
#include <algorithm>
#include <cstdint>

namespace fastpose {

// Note [Automatic horizon]: the horizon is the time from exposure_start to the decision, with the time from
// there to the action where one was taken. It begins with what the network took at warm-up and follows what
// the frames before this one took, with a time constant of a second and never faster than 5 % of the time
// that passes: one slow frame moves it by less than a frame's noise, and a prediction never jumps. It depends
// on recorded stamps alone, so a replay predicts as the session did.
class Horizon {
  public:
    static constexpr double time_constant_s = 1.0;
    static constexpr double fastest_change = 0.05;  // s per s
    static constexpr std::int64_t longest_ns = 1'000'000'000;
    static constexpr std::int64_t longest_step_ns = 100'000'000;  // a longer gap counts as this

    Horizon(std::int64_t fixed_ns, bool automatic) noexcept : automatic_(automatic) {
        decided_.ns = fixed_ns;
    }

    void expect(std::int64_t work_ns) noexcept {
        if (automatic_) decided_ = {static_cast<double>(std::clamp<std::int64_t>(work_ns, 0, longest_ns)), 0};
    }

    void learn(std::int64_t exposure_start_ns, std::int64_t decided_ns, std::int64_t acted_ns) noexcept {
        if (!automatic_ || decided_ns <= exposure_start_ns) return;
        decided_.follow(decided_ns - exposure_start_ns, exposure_start_ns);
        if (acted_ns > decided_ns) acted_.follow(acted_ns - decided_ns, exposure_start_ns);
    }

    [[nodiscard]] std::int64_t ns() const noexcept {
        return std::clamp(static_cast<std::int64_t>(decided_.ns + acted_.ns), std::int64_t{0}, longest_ns);
    }

  private:
    struct Delay {
        double ns = 0;
        std::int64_t learnt_ns = 0;  // exposure of the last frame that told; 0: none

        void follow(std::int64_t measured_ns, std::int64_t time_ns) noexcept {
            const std::int64_t gap_ns = learnt_ns == 0 ? 0 : time_ns - learnt_ns;
            const auto passed_ns = static_cast<double>(std::min(gap_ns, longest_step_ns));
            learnt_ns = time_ns;
            if (passed_ns <= 0) return;
            const double difference = static_cast<double>(measured_ns) - ns;
            const double wanted = difference * std::min(passed_ns * 1e-9 / time_constant_s, 1.0);
            const double most = fastest_change * passed_ns;
            ns += std::clamp(wanted, -most, most);
        }
    };

    bool automatic_;
    Delay decided_, acted_;
};

}  // namespace fastpose
