// One animal over time: a body that moves with one velocity, its keypoints where they were seen last.
#include "pose/track.h"

#include <algorithm>
#include <cmath>

namespace fastpose {
namespace {

constexpr double coasts_s = 0.1;  // how long an animal that is not seen is taken to keep its velocity

}  // namespace

void Track::reset() noexcept {
    std::fill(points_.begin(), points_.end(), Place{});
    velocity_x_ = velocity_y_ = 0;
    last_ns_ = 0;
    started_ = false;
}

void Track::follow(std::span<const Keypoint> keypoints, std::span<const char> usable, std::int64_t time_ns,
                   double velocity_window_s) noexcept {
    double way_x = 0, way_y = 0;
    int common = 0;
    for (std::size_t i = 0; i < points_.size(); ++i) {
        if (!usable[i] || !points_[i].known) continue;
        way_x += keypoints[i].x - points_[i].x;
        way_y += keypoints[i].y - points_[i].y;
        ++common;
    }
    const double step_s = static_cast<double>(time_ns - last_ns_) * 1e-9;
    if (common > 0 && started_) {
        way_x /= common, way_y /= common;
        const double weight = 1 - std::exp(-step_s / velocity_window_s);
        velocity_x_ += weight * (way_x / step_s - velocity_x_);
        velocity_y_ += weight * (way_y / step_s - velocity_y_);
    }
    for (std::size_t i = 0; i < points_.size(); ++i) {
        if (usable[i])
            points_[i] = {keypoints[i].x, keypoints[i].y, true};
        else if (common > 0)
            points_[i].x += way_x, points_[i].y += way_y;
        else
            points_[i].known = false;  // seen again elsewhere: where the rest is, nobody knows
    }
    last_ns_ = time_ns;
    started_ = true;
}

double Track::difference(std::span<const Keypoint> keypoints, std::span<const char> usable,
                         std::int64_t time_ns, double tolerance_px) const noexcept {
    const double gap_s = static_cast<double>(time_ns - last_ns_) * 1e-9;
    const double ahead_s = coasts_s * (1 - std::exp(-gap_s / coasts_s));
    double sum = 0;
    int common = 0;
    for (std::size_t i = 0; i < points_.size(); ++i) {
        if (!usable[i] || !points_[i].known) continue;
        const double dx = keypoints[i].x - points_[i].x - velocity_x_ * ahead_s;
        const double dy = keypoints[i].y - points_[i].y - velocity_y_ * ahead_s;
        const double distance = std::hypot(dx, dy) / tolerance_px;
        sum += distance / (1 + distance);
        ++common;
    }
    return common > 0 ? sum / common : 1;
}

}  // namespace fastpose
