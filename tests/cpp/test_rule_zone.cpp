// Zones: signed distance at the places where geometry goes wrong.
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "base/error.h"
#include "rule/zone.h"

namespace fastpose {
namespace {

TEST(Zone, RectangleDistances) {
    const auto zone = make_rectangle(10, 20, 100, 50);
    EXPECT_DOUBLE_EQ(zone->signed_distance(60, 45), -25);
    EXPECT_DOUBLE_EQ(zone->signed_distance(12, 45), -2);
    EXPECT_DOUBLE_EQ(zone->signed_distance(10, 20), 0);
    EXPECT_DOUBLE_EQ(zone->signed_distance(7, 16), 5);
    EXPECT_DOUBLE_EQ(zone->signed_distance(115, 30), 5);
}

TEST(Zone, PolygonAgreesWithTheSameRectangle) {
    const auto rectangle = make_rectangle(10, 20, 100, 50);
    const auto polygon = make_polygon({{10, 20}, {10, 70}, {110, 70}, {110, 20}});
    for (double x = 0; x < 130; x += 2.5) {
        for (double y = 0; y < 90; y += 2.5) {
            EXPECT_NEAR(polygon->signed_distance(x, y), rectangle->signed_distance(x, y), 1e-12)
                << x << ", " << y;
        }
    }
}

TEST(Zone, PolygonOfManyCornersAgreesWithTheCircle) {
    std::vector<std::array<double, 2>> corners;
    for (int i = 0; i < 720; ++i) {
        const double angle = i * std::numbers::pi / 360;
        corners.push_back({50 + 30 * std::cos(angle), 40 + 30 * std::sin(angle)});
    }
    const auto polygon = make_polygon(corners);
    const auto circle = make_circle({50, 40}, 30);
    for (double x = 0; x < 100; x += 3) {
        EXPECT_NEAR(polygon->signed_distance(x, 35), circle->signed_distance(x, 35), 1e-3) << x;
    }
}

TEST(Zone, MarginGrowsAndShrinks) {
    const auto zone = make_circle({0, 0}, 10);
    EXPECT_TRUE(zone->contains(10, 0));
    EXPECT_FALSE(zone->contains(10.1, 0));
    EXPECT_TRUE(zone->contains(11.9, 0, 2));
    EXPECT_FALSE(zone->contains(8.1, 0, -2));
}

TEST(Zone, NaNIsInNoZone) {
    EXPECT_FALSE(make_circle({0, 0}, 10)->contains(NAN, 0));
    EXPECT_FALSE(make_polygon({{0, 0}, {9, 0}, {0, 9}})->contains(NAN, 1));
}

TEST(Zone, RefusesWhatIsNoRegion) {
    EXPECT_THROW((void)make_polygon({}), ConfigError);
    EXPECT_THROW((void)make_polygon({{0, 0}, {1, 0}, {0, 0}, {1, 0}}), ConfigError);
    EXPECT_THROW((void)make_polygon({{0, 0}, {9, 9}, {9, 0}, {0, 8}}), ConfigError);
    EXPECT_THROW((void)make_polygon({{0, 0}, {1e7, 0}, {0, 1}}), ConfigError);
    EXPECT_THROW((void)make_circle({0, 0}, -1), ConfigError);
    EXPECT_THROW((void)make_rectangle(0, 0, 5, 0), ConfigError);
}

}  // namespace
}  // namespace fastpose
