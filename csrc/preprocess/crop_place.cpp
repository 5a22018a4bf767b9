// Boxes as DeepLabCut grows them, centres as SLEAP rounds them.
#include "preprocess/crop_place.h"

#include <algorithm>
#include <cmath>

namespace fastpose {
namespace {

int rounded(double value) noexcept { return static_cast<int>(std::nearbyint(value)); }

Roi grown(const CropSpec& spec, const Box& box) noexcept {
    const Roi& area = spec.frame.roi;
    const double left = std::clamp<double>(box.left - area.x, 0, area.width);
    const double right = std::clamp<double>(box.right - area.x, 0, area.width);
    const double top = std::clamp<double>(box.top - area.y, 0, area.height);
    const double bottom = std::clamp<double>(box.bottom - area.y, 0, area.height);
    double w = right - left + 2 * spec.margin_px, h = bottom - top + 2 * spec.margin_px;
    const double ratio = static_cast<double>(spec.frame.output_width) / spec.frame.output_height;
    if (w > h * ratio)
        h = w / ratio;
    else
        w = h * ratio;
    const double x = left + (right - left) / 2, y = top + (bottom - top) / 2;
    const int x0 = rounded(x - w / 2), y0 = rounded(y - h / 2);
    return {x0, y0, std::max(rounded(x + w / 2) - x0, 1), std::max(rounded(y + h / 2) - y0, 1)};
}

CropPlace scaled(const CropSpec& spec, const Box& box) noexcept {
    const Roi crop = grown(spec, box);
    return {crop,
            {static_cast<float>(crop.width) / static_cast<float>(spec.frame.output_width),
             static_cast<float>(crop.height) / static_cast<float>(spec.frame.output_height),
             static_cast<float>(crop.x + spec.frame.roi.x), static_cast<float>(crop.y + spec.frame.roi.y)}};
}

CropPlace centred(const CropSpec& spec, const Box& box) noexcept {
    const int width = spec.frame.output_width, height = spec.frame.output_height;
    const int half_width = width / 2, half_height = height / 2;
    // Where it begins, full-frame px, not rounded.
    const double left = (static_cast<double>(box.left) + box.right - width + 1) / 2;
    const double top = (static_cast<double>(box.top) + box.bottom - height + 1) / 2;
    return {{static_cast<int>(left + half_width) - half_width - spec.frame.roi.x,
             static_cast<int>(top + half_height) - half_height - spec.frame.roi.y, width, height},
            {1, 1, static_cast<float>(left), static_cast<float>(top)}};
}

}  // namespace

CropPlace crop_place(const CropSpec& spec, const Box& box) noexcept {
    return spec.mode == CropMode::scaled ? scaled(spec, box) : centred(spec, box);
}

}  // namespace fastpose
