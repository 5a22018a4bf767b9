// Anatomies, gestures and the bending of the body.
#include "camera/sim_body.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace fastpose::sim {
namespace {

constexpr double kTau = 2.0 * std::numbers::pi;
// Along the body axis: -0.5 at the tail base, 0 in the middle, 0.5 at the snout.
constexpr std::array<double, 10> kWidthStations{-0.5, -0.42, -0.3, -0.12, 0.05, 0.18, 0.27, 0.37, 0.45, 0.5};
constexpr double kNeckStation = 0.2;
constexpr double kBendLimitRad = 0.62;  // of the front half against the middle
constexpr double kBendTurnRadS = 4.0;
constexpr double kTailLagS = 0.35;  // the tail's tip points where the body pointed this long ago

Anatomy mouse() {
    return {.half_width = {.038, .110, .172, .182, .158, .124, .112, .084, .048, .024},
            .ear_radius = .056,
            .ear_side = .102,
            .ear_station = .265,
            .tail_length = .85,
            .tail_radius = .022,
            .tail_wave_rad = .45,
            .coat = .24,
            .skin = .58,
            .texture = .22,
            .coat_tint = {1.10, 1.00, .84},
            .skin_tint = {1.22, .94, .90}};
}

Anatomy rat() {
    return {.half_width = {.040, .098, .142, .150, .136, .112, .100, .076, .045, .023},
            .ear_radius = .036,
            .ear_side = .092,
            .ear_station = .255,
            .tail_length = .95,
            .tail_radius = .028,
            .tail_wave_rad = .30,
            .coat = .30,
            .skin = .52,
            .texture = .18,
            .coat_tint = {1.05, 1.00, .92},
            .skin_tint = {1.22, .94, .90}};
}

Anatomy vole() {
    return {.half_width = {.060, .125, .172, .182, .172, .150, .136, .108, .066, .034},
            .ear_radius = .032,
            .ear_side = .116,
            .ear_station = .250,
            .tail_length = .32,
            .tail_radius = .018,
            .tail_wave_rad = .25,
            .coat = .36,
            .skin = .46,
            .texture = .30,
            .coat_tint = {1.22, 1.00, .72},
            .skin_tint = {1.18, .95, .88}};
}

double varied(double value, std::uint64_t seed, std::uint64_t index, double spread) {
    return value * (1.0 + uniform(seed, Stream::look, index, -spread, spread));
}

double half_width_at(const Anatomy& anatomy, double station) {
    const auto above = std::upper_bound(kWidthStations.begin() + 1, kWidthStations.end() - 1, station);
    const auto i = static_cast<std::size_t>(above - kWidthStations.begin());
    const double fraction = (station - kWidthStations[i - 1]) / (kWidthStations[i] - kWidthStations[i - 1]);
    const double eased = fraction * fraction * (3 - 2 * fraction) * 0.35 + fraction * 0.65;
    return anatomy.half_width[i - 1] + (anatomy.half_width[i] - anatomy.half_width[i - 1]) * eased;
}

Point moved(Point from, double heading, double distance) {
    return {from.x + static_cast<float>(distance * std::cos(heading)),
            from.y + static_cast<float>(distance * std::sin(heading))};
}

// The body's axis: an arc through the middle, the head turned on top of it.
struct Spine {
    Point middle;
    double heading = 0, bend = 0, head_yaw = 0, length_px = 0;

    [[nodiscard]] double heading_at(double station) const noexcept {
        const double neck = std::clamp((station - kNeckStation) / 0.1, 0.0, 1.0);
        return heading + 2 * bend * station + head_yaw * neck;
    }
    [[nodiscard]] Point at(double station) const noexcept {
        constexpr int kSteps = 10;
        Point point = middle;
        const double step = station / kSteps;
        for (int i = 0; i < kSteps; ++i) {
            point = moved(point, heading_at((i + 0.5) * step), step * length_px);
        }
        return point;
    }
    // To the animal's left is negative, as seen from above in image axes.
    [[nodiscard]] Point beside(double station, double side) const noexcept {
        return moved(at(station), heading_at(station) + 0.25 * kTau, side * length_px);
    }
};

Capsule dot(Point at, double radius_px) {
    const auto radius = static_cast<float>(radius_px);
    return {.a = at, .b = at, .radius_a = radius, .radius_b = radius};
}

std::array<Capsule, kTorsoCapsules> torso_of(const Spine& spine, const Anatomy& anatomy) {
    std::array<Capsule, kTorsoCapsules> torso;
    constexpr double kRear = -0.47, kFront = 0.48;
    Capsule link = dot(spine.at(kRear), half_width_at(anatomy, kRear) * spine.length_px);
    for (std::size_t i = 0; i < torso.size(); ++i) {
        const double station = kRear + (kFront - kRear) * static_cast<double>(i + 1) / kTorsoCapsules;
        link.a = link.b;
        link.radius_a = link.radius_b;
        link.b = spine.at(station);
        link.radius_b = static_cast<float>(half_width_at(anatomy, station) * spine.length_px);
        torso[i] = link;
    }
    return torso;
}

// An oval around the keypoint, its long axis outwards and back. side: -1 left, 1 right.
Capsule ear_of(const Spine& spine, const Anatomy& anatomy, double side) {
    const double half = 0.25 * anatomy.ear_radius;
    const auto radius = static_cast<float>(anatomy.ear_radius * spine.length_px);
    return {.a = spine.beside(anatomy.ear_station + half, side * (anatomy.ear_side - half)),
            .b = spine.beside(anatomy.ear_station - half, side * (anatomy.ear_side + half)),
            .radius_a = 0.92F * radius,
            .radius_b = radius};
}

}  // namespace

Anatomy make_anatomy(const SimSpec& spec, std::uint64_t seed) {
    Anatomy anatomy = spec.shape == "rat" ? rat() : spec.shape == "vole" ? vole() : mouse();
    if (spec.light_coat()) {
        anatomy.coat = .86;
        anatomy.skin = .66;
        anatomy.texture *= .5;
        anatomy.coat_tint = {1.03, 1.00, .93};
    }
    for (double& width : anatomy.half_width) {
        width *= 1.0 + uniform(seed, Stream::look, 0, -.07, .07);
    }
    anatomy.ear_radius = varied(anatomy.ear_radius, seed, 1, .08);
    anatomy.tail_length = varied(anatomy.tail_length, seed, 2, .10);
    anatomy.coat = varied(anatomy.coat, seed, 3, .10);
    anatomy.skin = varied(anatomy.skin, seed, 4, .08);
    return anatomy;
}

Animal::Animal(const SimSpec& spec, const Territory& territory, std::uint64_t seed)
    : anatomy_(make_anatomy(spec, seed)),
      trajectory_(territory, seed),
      length_px_(varied(territory.body_length_px, seed, 5, .03)),
      bend_(seed, Stream::posture, 0.35),
      head_(seed, Stream::head, 0.6),
      stretch_(seed, Stream::stretch, 0.4),
      tail_(seed, Stream::tail, 0.5) {}

// Each link points where the body pointed a little earlier, with a wave that runs along.
std::array<Capsule, kTailCapsules> Animal::tail_at(Point root, double time_s, double rear_heading,
                                                   double strides) const noexcept {
    std::array<Capsule, kTailCapsules> tail;
    const double now_heading = trajectory_.heading_at(time_s);
    const double link_px = anatomy_.tail_length * length_px_ / kTailCapsules;
    const double sway = tail_.at(time_s);
    Point at = root;
    for (std::size_t i = 0; i < tail.size(); ++i) {
        const double along = static_cast<double>(i + 1) / kTailCapsules;
        const double lag = trajectory_.heading_at(time_s - along * kTailLagS) - now_heading;
        const double wave = std::sin(kTau * (0.9 * along - 0.5 * strides)) * along + 0.8 * sway * along;
        const double heading = rear_heading + 0.8 * lag + anatomy_.tail_wave_rad * wave;
        const Point next = moved(at, heading, -link_px);
        const double radius = anatomy_.tail_radius * length_px_;
        tail[i] = {.a = at,
                   .b = next,
                   .radius_a = static_cast<float>(radius * (1.15 - 0.85 * (along - 1.0 / kTailCapsules))),
                   .radius_b = static_cast<float>(radius * (1.15 - 0.85 * along))};
        at = next;
    }
    return tail;
}

Posture Animal::posture_at(double time_s) const noexcept {
    const Motion motion = trajectory_.at(time_s);
    const double turning = std::tanh(motion.turn_rad_s / kBendTurnRadS);
    const double gait = std::min(1.0, motion.speed_px_s / length_px_);
    const double sway = 0.05 * gait * std::sin(kTau * motion.strides);
    const double scanning = head_.at(time_s) * (0.25 + 0.45 * (1 - gait));
    const Spine spine{.middle = {static_cast<float>(motion.x), static_cast<float>(motion.y)},
                      .heading = motion.heading + sway,
                      .bend = kBendLimitRad * turning + 0.15 * bend_.at(time_s) - sway,
                      .head_yaw = scanning + 0.25 * turning,
                      .length_px = length_px_ * (1.0 + 0.05 * stretch_.at(time_s) + 0.03 * gait -
                                                 0.10 * std::abs(turning))};

    Posture posture;
    posture.torso = torso_of(spine, anatomy_);
    posture.keypoints[snout] = spine.at(0.49);
    posture.keypoints[leftear] = spine.beside(anatomy_.ear_station, -anatomy_.ear_side);
    posture.keypoints[rightear] = spine.beside(anatomy_.ear_station, anatomy_.ear_side);
    posture.keypoints[center] = spine.middle;
    posture.keypoints[tailbase] = spine.at(-0.48);
    posture.tail = tail_at(posture.keypoints[tailbase], time_s, spine.heading_at(-0.5), motion.strides);
    posture.ears = {ear_of(spine, anatomy_, -1), ear_of(spine, anatomy_, 1)};
    posture.eyes = {dot(spine.beside(0.365, -0.052), 0.014 * length_px_),
                    dot(spine.beside(0.365, 0.052), 0.014 * length_px_)};
    posture.nose = dot(spine.at(0.485), 0.020 * length_px_);
    posture.axis = {static_cast<float>(std::cos(spine.heading)), static_cast<float>(std::sin(spine.heading))};
    posture.length_px = static_cast<float>(spine.length_px);
    return posture;
}

}  // namespace fastpose::sim
