// The simulated animal's body at one moment: outlines made of capsules, and the true keypoints.
#pragma once
#include <array>
#include <cstdint>
#include <string_view>

#include "camera/sim_hash.h"
#include "camera/sim_spec.h"
#include "camera/sim_trajectory.h"

namespace fastpose::sim {

enum Bodypart : int { snout = 0, leftear, rightear, center, tailbase, kBodyparts };
inline constexpr std::array<std::string_view, kBodyparts> kBodypartNames{"snout", "leftear", "rightear",
                                                                         "center", "tailbase"};

struct Point {
    float x = 0, y = 0;  // px
};

// A segment with a radius at either end.
struct Capsule {
    Point a, b;
    float radius_a = 0, radius_b = 0;  // px
};

inline constexpr int kTorsoCapsules = 18, kTailCapsules = 28;

// Lengths in body lengths (snout to tail base).
struct Anatomy {
    std::array<double, 10> half_width{};  // at kWidthStations along the axis
    double ear_radius = 0, ear_side = 0, ear_station = 0;
    double tail_length = 0, tail_radius = 0, tail_wave_rad = 0;
    double coat = 0;                                 // albedo, 0-1
    double skin = 0;                                 // albedo of ears, tail and nose
    double texture = 0;                              // relative contrast of the fur
    std::array<double, 3> coat_tint{}, skin_tint{};  // rgb
};

// The named shape with the hashed peculiarities of one individual.
[[nodiscard]] Anatomy make_anatomy(const SimSpec& spec, std::uint64_t seed);

struct Posture {
    std::array<Capsule, kTorsoCapsules> torso;
    std::array<Capsule, kTailCapsules> tail;
    std::array<Capsule, 2> ears, eyes;
    Capsule nose;
    std::array<Point, kBodyparts> keypoints;
    Point axis;  // unit vector along the body, for the fur
    float length_px = 0;
};

// One individual: anatomy, path and gestures. Thread-safe after construction; posture_at is a pure function.
class Animal {
  public:
    Animal(const SimSpec& spec, const Territory& territory, std::uint64_t seed);
    [[nodiscard]] Posture posture_at(double time_s) const noexcept;
    [[nodiscard]] const Anatomy& anatomy() const noexcept { return anatomy_; }
    [[nodiscard]] const Trajectory& trajectory() const noexcept { return trajectory_; }
    [[nodiscard]] double length_px() const noexcept { return length_px_; }

  private:
    [[nodiscard]] std::array<Capsule, kTailCapsules> tail_at(Point root, double time_s, double rear_heading,
                                                             double strides) const noexcept;

    Anatomy anatomy_;
    Trajectory trajectory_;
    double length_px_;
    WaveNoise bend_, head_, stretch_, tail_;
};

}  // namespace fastpose::sim
