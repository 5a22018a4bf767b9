// Numbers that a classifier is given of each frame.
#include "rule/features.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "base/check.h"
#include "rule/turn.h"

namespace fastpose {
namespace {

int count_of(const FeatureSpec& spec) {
    const int parts = static_cast<int>(spec.parts.size());
    if (spec.kind == FeatureKind::positions) return 2 * parts;
    if (spec.kind == FeatureKind::likelihoods) return parts;
    if (spec.kind == FeatureKind::egocentric) return 2 * (parts - 2);
    return 1;
}

void check(const FeatureSpec& spec, const Gate& gate) {
    constexpr int least[] = {1, 1, 3, 2, 3, 1};
    const auto kind = static_cast<std::size_t>(spec.kind);
    const int parts = static_cast<int>(spec.parts.size());
    if (parts < least[kind])
        throw ConfigError("a feature has " + std::to_string(parts) + " bodyparts; allowed: at least " +
                          std::to_string(least[kind]));
    for (const PartOf& part : spec.parts) {
        gate.require_bodypart(part.bodypart);
        require_index("individual", part.individual, gate.individuals());
    }
}

double distance(const Place& a, const Place& b) noexcept { return std::hypot(a.x - b.x, a.y - b.y); }

}  // namespace

Features::Features(std::vector<FeatureSpec> specs, const Gate& gate, std::int64_t hold_ns)
    : specs_(std::move(specs)), gate_(gate), hold_ns_(hold_ns) {
    if (specs_.empty()) throw ConfigError("features is empty; allowed: at least one");
    seen_.resize(static_cast<std::size_t>(gate.individuals() * gate.bodyparts()));
    std::vector<char> listed(seen_.size());
    for (const FeatureSpec& spec : specs_) {
        check(spec, gate);
        size_ += count_of(spec);
        for (const PartOf& part : spec.parts) {
            char& once = listed[static_cast<std::size_t>(&seen(part) - seen_.data())];
            if (std::exchange(once, 1) == 0) parts_.push_back(part);
        }
    }
}

Features::Seen& Features::seen(const PartOf& part) noexcept {
    return seen_[static_cast<std::size_t>(part.individual * gate_.bodyparts() + part.bodypart)];
}

void Features::look(const RuleInput& input) noexcept {
    const std::int64_t now_ns = input.exposure_start_ns;
    for (const PartOf& part : parts_) {
        Seen& one = seen(part);
        one.moved = one.known && one.place_ns == last_ns_;
        one.before = one.place, one.before_ns = one.place_ns;
        const auto place = gate_.place(input.pose, part.individual, part.bodypart);
        if (place) one.place = *place, one.seen_ns = now_ns;
        one.known = place || (one.known && now_ns - one.seen_ns <= hold_ns_);
        one.place_ns = now_ns;
    }
    last_ns_ = now_ns;
}

bool Features::all_known(const FeatureSpec& spec) noexcept {
    if (spec.kind == FeatureKind::likelihoods) return true;
    const auto known = [&](const PartOf& part) { return seen(part).known; };
    if (!std::all_of(spec.parts.begin(), spec.parts.end(), known)) return false;
    return spec.kind != FeatureKind::speed || seen(spec.parts[0]).moved;
}

bool Features::write(const RuleInput& input, float* out) noexcept {
    look(input);
    const auto known = [&](const FeatureSpec& spec) { return all_known(spec); };
    if (!std::all_of(specs_.begin(), specs_.end(), known)) return false;
    float* end = out;
    for (const FeatureSpec& spec : specs_) end = write(spec, input, end);
    return std::all_of(out, end, [](float number) { return std::isfinite(number); });
}

float* Features::write(const FeatureSpec& spec, const RuleInput& input, float* out) noexcept {
    const auto at = [&](std::size_t i) -> const Place& { return seen(spec.parts[i]).place; };
    if (spec.kind == FeatureKind::positions) {
        for (const PartOf& part : spec.parts) {
            *out++ = static_cast<float>(seen(part).place.x);
            *out++ = static_cast<float>(seen(part).place.y);
        }
    } else if (spec.kind == FeatureKind::likelihoods) {
        for (const PartOf& part : spec.parts) {
            const float likelihood = input.pose.at(part.individual, part.bodypart).likelihood;
            *out++ = std::isfinite(likelihood) ? likelihood : 0.0F;
        }
    } else if (spec.kind == FeatureKind::egocentric) {
        out = write_egocentric(spec, out);
    } else if (spec.kind == FeatureKind::distance) {
        *out++ = static_cast<float>(distance(at(0), at(1)));
    } else if (spec.kind == FeatureKind::angle) {
        *out++ = static_cast<float>(std::abs(turn_deg(way(at(1), at(0)), way(at(1), at(2)))));
    } else {
        const Seen& one = seen(spec.parts[0]);
        const double time_s = static_cast<double>(one.place_ns - one.before_ns) * 1e-9;
        *out++ = static_cast<float>(distance(one.place, one.before) / time_s);
    }
    return out;
}

float* Features::write_egocentric(const FeatureSpec& spec, float* out) noexcept {
    const Place origin = seen(spec.parts[0]).place;
    const Place ahead = way(origin, seen(spec.parts[1]).place);
    const double length = std::hypot(ahead.x, ahead.y);  // 0: NaN, and no answer
    for (std::size_t i = 2; i < spec.parts.size(); ++i) {
        const Place to = way(origin, seen(spec.parts[i]).place);
        *out++ = static_cast<float>((to.x * ahead.x + to.y * ahead.y) / length);
        *out++ = static_cast<float>((to.y * ahead.x - to.x * ahead.y) / length);
    }
    return out;
}

void Features::reset() noexcept {
    std::fill(seen_.begin(), seen_.end(), Seen{});
    last_ns_ = -1;
}

}  // namespace fastpose
