// Signed distance to capsules.
#include "camera/sim_field.h"

#include <algorithm>
#include <cmath>

namespace fastpose::sim {

float inside_by(const Capsule& capsule, Point point) noexcept {
    const float bx = capsule.b.x - capsule.a.x, by = capsule.b.y - capsule.a.y;
    const float px = point.x - capsule.a.x, py = point.y - capsule.a.y;
    const float along = std::clamp((px * bx + py * by) / std::max(bx * bx + by * by, 1e-6F), 0.0F, 1.0F);
    const float radius = capsule.radius_a + along * (capsule.radius_b - capsule.radius_a);
    const float dx = px - along * bx, dy = py - along * by;
    return (radius * radius - dx * dx - dy * dy) / (2 * radius);
}

// The innermost loop, for compilers to vectorise: raw pointers, no calls. GCC keeps floating-point
// comparisons as branches unless it is told that they do not trap.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC push_options
#pragma GCC optimize("O3", "no-trapping-math")
#endif
void raise_field(const Capsule& capsule, float y, Span span, float* field) noexcept {
    const float ax = capsule.a.x, bx = capsule.b.x - ax, by = capsule.b.y - capsule.a.y, py = y - capsule.a.y;
    const float length2 = bx * bx + by * by, per_length2 = 1 / (length2 > 1e-6F ? length2 : 1e-6F);
    const float radius_a = capsule.radius_a, taper = capsule.radius_b - radius_a;
    // 1 / diameter, linear between the ends: a division for every pixel costs more than the rest.
    const float slope_a = 0.5F / radius_a, slope_gain = 0.5F / capsule.radius_b - slope_a;
    const int end = span.end;
    for (int x = span.begin; x < end; ++x) {
        const float px = static_cast<float>(x) - ax;
        const float projected = (px * bx + py * by) * per_length2;
        const float floored = projected > 0 ? projected : 0;
        const float along = floored < 1 ? floored : 1;
        const float dx = px - along * bx, dy = py - along * by;
        const float radius = radius_a + along * taper;
        const float inside = (radius * radius - dx * dx - dy * dy) * (slope_a + along * slope_gain);
        const float before = field[x];
        field[x] = before > inside ? before : inside;
    }
}
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC pop_options
#endif

Span reach_of(const Capsule& capsule, float y, float margin, int width) noexcept {
    const float reach = std::max(capsule.radius_a, capsule.radius_b) + margin;
    const float above = std::min(capsule.a.y, capsule.b.y) - y,
                below = y - std::max(capsule.a.y, capsule.b.y);
    const float off = std::max({above, below, 0.0F});  // px from the row to the segment's rows
    if (off > reach) {
        return {};
    }
    const float side = std::sqrt(reach * reach - off * off);
    const float left = std::min(capsule.a.x, capsule.b.x) - side,
                right = std::max(capsule.a.x, capsule.b.x) + side;
    const auto limit = static_cast<float>(width);
    return {static_cast<int>(std::clamp(left, 0.0F, limit)),
            static_cast<int>(std::clamp(right + 1, 0.0F, limit))};
}

}  // namespace fastpose::sim
