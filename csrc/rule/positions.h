// Where bodyparts were within a window: what questions on motion share.
#pragma once
#include <cmath>
#include <limits>
#include <optional>
#include <vector>

#include "rule/gate.h"
#include "rule/history.h"

namespace fastpose {

class Positions {
  public:
    // Of these bodyparts of every individual.
    Positions(const Gate& gate, std::vector<int> bodyparts, std::int64_t window_ns)
        : gate_(gate),
          bodyparts_(std::move(bodyparts)),
          histories_(bodyparts_.size() * static_cast<std::size_t>(gate.individuals()),
                     History<Place>(window_ns)) {}

    void observe(const RuleInput& input) noexcept {
        for (int individual = 0; individual < gate_.individuals(); ++individual)
            for (std::size_t part = 0; part < bodyparts_.size(); ++part) {
                History<Place>& history = histories_[index(individual, part)];
                history.forget_before(input.exposure_start_ns);
                const auto place = now(input.pose, individual, part);
                if (place) history.add(input.exposure_start_ns, *place);
            }
    }

    void clear() noexcept {
        for (History<Place>& history : histories_) history.clear();
    }

    [[nodiscard]] std::size_t parts() const noexcept { return bodyparts_.size(); }
    [[nodiscard]] std::optional<Place> now(const PoseView& pose, int individual,
                                           std::size_t part) const noexcept {
        return gate_.place(pose, individual, bodyparts_[part]);
    }
    [[nodiscard]] const History<Place>& of(int individual, std::size_t part) const noexcept {
        return histories_[index(individual, part)];
    }
    // Per second, over the window; NaN: it cannot be said.
    [[nodiscard]] double speed(const RuleInput& input, int individual, std::size_t part) const noexcept {
        const auto place = now(input.pose, individual, part);
        const History<Place>& history = of(individual, part);
        if (!place || !history.reaches_back(input.exposure_start_ns))
            return std::numeric_limits<double>::quiet_NaN();
        const auto& oldest = history.oldest();
        const double time_s = static_cast<double>(input.exposure_start_ns - oldest.time_ns) * 1e-9;
        return std::hypot(place->x - oldest.value.x, place->y - oldest.value.y) / time_s;
    }

  private:
    [[nodiscard]] std::size_t index(int individual, std::size_t part) const noexcept {
        return static_cast<std::size_t>(individual) * bodyparts_.size() + part;
    }

    Gate gate_;
    std::vector<int> bodyparts_;
    std::vector<History<Place>> histories_;
};

}  // namespace fastpose
