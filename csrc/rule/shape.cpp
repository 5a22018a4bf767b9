// Questions on a body's shape: its length, and how near it is to a posture.
#include "rule/shape.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "base/check.h"

namespace fastpose {
namespace {

constexpr double none = std::numeric_limits<double>::quiet_NaN();

class BodyLength final : public Compared {
  public:
    BodyLength(const BodyLengthSpec& spec, const Gate& gate)
        : Compared(Threshold(spec.limit)), bodyparts_(spec.bodyparts), gate_(gate) {}

  private:
    double value(const RuleInput& input, int individual) noexcept override {
        double length = 0;
        auto before = gate_.place(input.pose, individual, bodyparts_[0]);
        for (std::size_t i = 1; i < bodyparts_.size() && before; ++i) {
            const auto next = gate_.place(input.pose, individual, bodyparts_[i]);
            length += next ? std::hypot(next->x - before->x, next->y - before->y) : 0;
            before = next;
        }
        return before ? length : none;
    }

    std::vector<int> bodyparts_;
    Gate gate_;
};

// Moves the places so that their mean is the origin.
void centre(std::vector<Place>& places) noexcept {
    Place sum;
    for (const Place& place : places) sum = {sum.x + place.x, sum.y + place.y};
    const auto count = static_cast<double>(places.size());
    for (Place& place : places) place = {place.x - sum.x / count, place.y - sum.y / count};
}

double sum_of_squares(const std::vector<Place>& places) noexcept {
    double sum = 0;
    for (const Place& place : places) sum += place.x * place.x + place.y * place.y;
    return sum;
}

class Posture final : public Compared {
  public:
    Posture(const PostureSpec& spec, const Gate& gate)
        : Compared(Threshold(spec.limit)), spec_(spec), gate_(gate), seen_(spec.bodyparts.size()) {
        for (const auto& [x, y] : spec.places) template_.push_back({x, y});
        centre(template_);
        template_squares_ = sum_of_squares(template_);
        require_above("the size of the template", template_squares_, 0);
    }

  private:
    double value(const RuleInput& input, int individual) noexcept override {
        for (std::size_t i = 0; i < seen_.size(); ++i) {
            const auto place = gate_.place(input.pose, individual, spec_.bodyparts[i]);
            if (!place) return none;
            seen_[i] = *place;
        }
        centre(seen_);
        const double squares = squares_left(overlap());
        return std::sqrt(std::max(squares, 0.0) / static_cast<double>(seen_.size()));
    }

    // How far the template, turned as fits best, points the way of what is seen.
    [[nodiscard]] double overlap() const noexcept {
        double along = 0, across = 0;
        for (std::size_t i = 0; i < seen_.size(); ++i) {
            along += seen_[i].x * template_[i].x + seen_[i].y * template_[i].y;
            across += seen_[i].y * template_[i].x - seen_[i].x * template_[i].y;
        }
        return spec_.turn ? std::hypot(along, across) : along;
    }

    [[nodiscard]] double squares_left(double overlap) const noexcept {
        const double seen = sum_of_squares(seen_);
        if (!spec_.scale) return seen + template_squares_ - 2 * overlap;
        const double positive = std::max(overlap, 0.0);  // a size is not negative
        return seen - positive * positive / template_squares_;
    }

    PostureSpec spec_;
    Gate gate_;
    std::vector<Place> template_, seen_;
    double template_squares_ = 0;
};

}  // namespace

std::unique_ptr<Question> make_body_length(const BodyLengthSpec& spec, const Gate& gate) {
    if (spec.bodyparts.size() < 2)
        throw ConfigError("body_length has " + std::to_string(spec.bodyparts.size()) +
                          " bodyparts; allowed: at least 2");
    for (const int bodypart : spec.bodyparts) gate.require_bodypart(bodypart);
    return std::make_unique<BodyLength>(spec, gate);
}

std::unique_ptr<Question> make_posture(const PostureSpec& spec, const Gate& gate) {
    if (spec.bodyparts.size() < 3 || spec.bodyparts.size() != spec.places.size())
        throw ConfigError("posture has " + std::to_string(spec.bodyparts.size()) + " bodyparts and " +
                          std::to_string(spec.places.size()) + " places; allowed: as many, at least 3");
    for (const int bodypart : spec.bodyparts) gate.require_bodypart(bodypart);
    for (const auto& [x, y] : spec.places) {
        require_coordinate("template x", x);
        require_coordinate("template y", y);
    }
    return std::make_unique<Posture>(spec, gate);
}

}  // namespace fastpose
