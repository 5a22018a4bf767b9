// Conditions on what lasts or changes: a condition begins or ends, and how long it held.
#include "rule/visit.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/check.h"

namespace fastpose {
namespace {

class Edge final : public Condition {
  public:
    Edge(std::unique_ptr<Condition> inner, RuleTiming timing, bool begins)
        : inner_(std::move(inner), timing), begins_(begins) {}

    Truth evaluate(const RuleInput& input, bool) noexcept override {
        const bool was = inner_.value();
        const bool is = inner_.update(input);
        const bool known = std::exchange(seen_out_, seen_out_ || inner_.truth() == Truth::no);
        if (begins_) return is && !was && known ? Truth::yes : Truth::no;
        return was && !is ? Truth::yes : Truth::no;
    }

    void reset() noexcept override {
        inner_.reset();
        seen_out_ = false;
    }

    [[nodiscard]] std::span<const int> depends_on() const noexcept override { return inner_.depends_on(); }

  private:
    Rule inner_;
    bool begins_;
    bool seen_out_ = false;
};

struct Visit {
    std::int64_t from_ns, to_ns;
};

// The visits of a window, oldest first, in a ring.
class Visits {
  public:
    static constexpr std::size_t capacity = 1024;
    Visits() : visits_(capacity) {}

    void begin(std::int64_t now_ns) noexcept {
        if (count_ == capacity) drop_oldest();
        at(count_++) = {now_ns, now_ns};
    }
    void go_on(std::int64_t now_ns) noexcept { at(count_ - 1).to_ns = now_ns; }
    void forget_before(std::int64_t start_ns) noexcept {
        while (count_ > 0 && at(0).to_ns < start_ns) drop_oldest();
    }
    void clear() noexcept { count_ = 0; }
    [[nodiscard]] std::int64_t last_ns() noexcept {
        return count_ == 0 ? 0 : at(count_ - 1).to_ns - at(count_ - 1).from_ns;
    }
    // Since a time; of a visit that began before, what lies after it.
    [[nodiscard]] std::int64_t total_ns(std::int64_t start_ns) noexcept {
        std::int64_t total = 0;
        for (std::size_t i = 0; i < count_; ++i) total += at(i).to_ns - std::max(at(i).from_ns, start_ns);
        return total;
    }

  private:
    [[nodiscard]] Visit& at(std::size_t index) noexcept { return visits_[(first_ + index) % capacity]; }
    void drop_oldest() noexcept {
        first_ = (first_ + 1) % capacity;
        --count_;
    }

    std::vector<Visit> visits_;
    std::size_t first_ = 0, count_ = 0;
};

class Dwell final : public Condition {
  public:
    Dwell(std::unique_ptr<Condition> inner, const DwellSpec& spec)
        : inner_(std::move(inner), {.missing = spec.missing}),
          within_ns_(spec.within_ns),
          threshold_(spec.limit) {}

    Truth evaluate(const RuleInput& input, bool active) noexcept override {
        const std::int64_t now_ns = input.exposure_start_ns;
        if (now_ns < last_ns_) visits_.clear(), inside_ = false;
        last_ns_ = now_ns;
        const bool was_inside = std::exchange(inside_, inner_.update(input));
        if (inside_ && !was_inside) visits_.begin(now_ns);
        if (inside_ && was_inside) visits_.go_on(now_ns);
        if (within_ns_ > 0) visits_.forget_before(now_ns - within_ns_);
        return threshold_.test(static_cast<double>(held_ns(now_ns)) * 1e-6, active);
    }

    void reset() noexcept override {
        inner_.reset();
        visits_.clear();
        inside_ = false;
        last_ns_ = 0;
    }

    [[nodiscard]] std::span<const int> depends_on() const noexcept override { return inner_.depends_on(); }

  private:
    [[nodiscard]] std::int64_t held_ns(std::int64_t now_ns) noexcept {
        if (within_ns_ > 0) return visits_.total_ns(now_ns - within_ns_);
        return inside_ ? visits_.last_ns() : 0;
    }

    Rule inner_;
    std::int64_t within_ns_;
    Threshold threshold_;
    Visits visits_;
    bool inside_ = false;
    std::int64_t last_ns_ = 0;
};

}  // namespace

std::unique_ptr<Condition> make_edge(std::unique_ptr<Condition> inner, RuleTiming timing, bool begins) {
    return std::make_unique<Edge>(std::move(inner), timing, begins);
}

std::unique_ptr<Condition> make_dwell(std::unique_ptr<Condition> inner, const DwellSpec& spec) {
    require_between("within_ms", static_cast<double>(spec.within_ns) / 1e6, 0, 86'400'000);
    if (!spec.limit.above) throw ConfigError("above_ms is not given; allowed: the time that it takes");
    if (spec.within_ns > 0 && *spec.limit.above * 1e6 >= static_cast<double>(spec.within_ns))
        throw ConfigError("above_ms is not below within_ms; allowed: a time that the window can hold");
    return std::make_unique<Dwell>(std::move(inner), spec);
}

}  // namespace fastpose
