// Signed distance to capsules along a row of pixels.
#pragma once
#include "camera/sim_body.h"

namespace fastpose::sim {

// Columns [begin, end) of a row.
struct Span {
    int begin = 0, end = 0;  // px
    [[nodiscard]] bool empty() const noexcept { return begin >= end; }
};

// Signed distance to a capsule's outline, px: positive inside, exact at the outline, r/2 on the axis.
[[nodiscard]] float inside_by(const Capsule& capsule, Point point) noexcept;

// The columns of row y that a capsule grown by margin can touch; empty where it misses the row.
[[nodiscard]] Span reach_of(const Capsule& capsule, float y, float margin, int width) noexcept;

// Raises field[begin, end) of row y to the capsule's signed distance.
void raise_field(const Capsule& capsule, float y, Span span, float* field) noexcept;

}  // namespace fastpose::sim
