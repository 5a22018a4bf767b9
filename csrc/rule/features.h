// Numbers that a classifier is given of each frame.
#pragma once
#include <cstdint>
#include <vector>

#include "rule/gate.h"

namespace fastpose {

enum class FeatureKind : int {
    positions = 0,    // x, y of each part
    likelihoods = 1,  // of each part, as the network said it; 0 where it said none
    egocentric = 2,   // parts[0] is 0, 0 and the x axis points to parts[1]: x, y of the others
    distance = 3,     // between two parts
    angle = 4,        // at the second of three parts, 0-180 degrees
    speed = 5,        // way of one part since the frame before, per second
};

struct PartOf {
    int individual = 0, bodypart = 0;
};

struct FeatureSpec {
    FeatureKind kind = FeatureKind::positions;
    std::vector<PartOf> parts{};
};

// Thread-bound; allocates nothing after construction. A keypoint that is missing counts as where it was last
// seen, for at most hold_ns. The constructor throws ConfigError.
class Features {
  public:
    Features(std::vector<FeatureSpec> specs, const Gate& gate, std::int64_t hold_ns);

    [[nodiscard]] int size() const noexcept { return size_; }
    // Writes size() numbers; false: one of them cannot be said.
    [[nodiscard]] bool write(const RuleInput& input, float* out) noexcept;
    void reset() noexcept;

  private:
    struct Seen {
        Place place{}, before{};
        std::int64_t seen_ns = 0, place_ns = 0, before_ns = 0;
        bool known = false, moved = false;  // there is a place; there is one of the frame before
    };

    void look(const RuleInput& input) noexcept;
    [[nodiscard]] Seen& seen(const PartOf& part) noexcept;
    [[nodiscard]] bool all_known(const FeatureSpec& spec) noexcept;
    [[nodiscard]] float* write(const FeatureSpec& spec, const RuleInput& input, float* out) noexcept;
    [[nodiscard]] float* write_egocentric(const FeatureSpec& spec, float* out) noexcept;

    std::vector<FeatureSpec> specs_;
    Gate gate_;
    std::int64_t hold_ns_;
    int size_ = 0;
    std::vector<PartOf> parts_;  // each once
    std::vector<Seen> seen_;     // by individual and bodypart
    std::int64_t last_ns_ = -1;
};

}  // namespace fastpose
