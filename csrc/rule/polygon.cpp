// Polygon zones: distance to the nearest edge, signed by the even-odd rule.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <string>

#include "base/check.h"
#include "rule/zone.h"

namespace fastpose {
namespace {

using Corner = std::array<double, 2>;

struct Edge {
    double x, y;    // start
    double dx, dy;  // to the end

    [[nodiscard]] double squared_distance(double px, double py) const noexcept {
        const double along = ((px - x) * dx + (py - y) * dy) / (dx * dx + dy * dy);
        const double nearest = std::clamp(along, 0.0, 1.0);
        const double off_x = px - (x + nearest * dx);
        const double off_y = py - (y + nearest * dy);
        return off_x * off_x + off_y * off_y;
    }

    // Whether a ray from the keypoint to the right crosses the edge. Half-open in y, so that a corner counts
    // once: Shimrat, "Algorithm 112: Position of point relative to polygon", CACM 5(8), 1962; Haines, "Point
    // in polygon strategies", Graphics Gems IV, 1994.
    [[nodiscard]] bool crosses_ray(double px, double py) const noexcept {
        if ((y > py) == (y + dy > py)) return false;
        return px < x + (py - y) / dy * dx;
    }
};

class Polygon final : public Zone {
  public:
    explicit Polygon(std::vector<Edge> edges) : edges_(std::move(edges)) {}

    double signed_distance(double x, double y) const noexcept override {
        double squared = std::numeric_limits<double>::infinity();
        bool inside = false;
        for (const Edge& edge : edges_) {
            squared = std::min(squared, edge.squared_distance(x, y));
            inside ^= edge.crosses_ray(x, y);
        }
        return inside ? -std::sqrt(squared) : std::sqrt(squared);
    }

  private:
    std::vector<Edge> edges_;
};

// Repeated corners, such as a closing one, make no edge.
std::vector<Edge> make_edges(const std::vector<Corner>& corners) {
    std::vector<Edge> edges;
    for (std::size_t i = 0; i < corners.size(); ++i) {
        const Corner& from = corners[i];
        const Corner& to = corners[(i + 1) % corners.size()];
        if (from != to) edges.push_back({from[0], from[1], to[0] - from[0], to[1] - from[1]});
    }
    return edges;
}

// Twice the signed area of the triangle edge, (x, y): positive on one side of the edge, negative on the
// other.
double side(const Edge& edge, double x, double y) { return edge.dx * (y - edge.y) - edge.dy * (x - edge.x); }

bool cross(const Edge& a, const Edge& b) {
    const double b_around_a = side(a, b.x, b.y) * side(a, b.x + b.dx, b.y + b.dy);
    const double a_around_b = side(b, a.x, a.y) * side(b, a.x + a.dx, a.y + a.dy);
    return b_around_a < 0 && a_around_b < 0;
}

void require_simple(const std::vector<Edge>& edges) {
    for (std::size_t i = 0; i < edges.size(); ++i) {
        for (std::size_t j = i + 1; j < edges.size(); ++j) {
            if (!cross(edges[i], edges[j])) continue;
            throw ConfigError("polygon has edges " + std::to_string(i) + " and " + std::to_string(j) +
                              " that cross; allowed: corners in order around the zone");
        }
    }
}

double area(const std::vector<Edge>& edges) {
    double twice = 0;
    for (const Edge& edge : edges) twice += edge.x * edge.dy - edge.y * edge.dx;
    return std::abs(twice) / 2;
}

}  // namespace

std::shared_ptr<const Zone> make_polygon(const std::vector<Corner>& corners) {
    for (const Corner& corner : corners) {
        require_coordinate("polygon x", corner[0]);
        require_coordinate("polygon y", corner[1]);
    }
    std::vector<Edge> edges = make_edges(corners);
    if (edges.size() < 3) {
        throw ConfigError("polygon has " + std::to_string(edges.size()) +
                          " different corners; allowed: at least 3");
    }
    require_simple(edges);
    require_above("polygon area", area(edges), 0);
    return std::make_shared<Polygon>(std::move(edges));
}

}  // namespace fastpose
