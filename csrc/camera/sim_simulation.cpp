// Frames and truth by index, rendered or prerendered.
#include "camera/sim_simulation.h"

#include <cstring>

namespace fastpose {
namespace {

SimSpec checked(SimSpec spec) {
    spec.validate();
    return spec;
}

}  // namespace

Simulation::Simulation(const SimSpec& spec) : spec_(checked(spec)), renderer_(spec) {}

std::size_t Simulation::frame_bytes() const noexcept {
    return fastpose::frame_bytes(spec_.pixel_format, spec_.width(), spec_.height());
}

std::int64_t Simulation::shown(std::int64_t index) const noexcept {
    if (!spec_.prerender_frames) {
        return index;
    }
    const std::int64_t frames = *spec_.prerender_frames;
    return ((index % frames) + frames) % frames;
}

void Simulation::prerender() {
    if (!spec_.prerender_frames || !prerendered_.empty()) {
        return;
    }
    std::vector<std::uint8_t> frames(static_cast<std::size_t>(*spec_.prerender_frames) * frame_bytes());
    for (std::int64_t i = 0; i < *spec_.prerender_frames; ++i) {
        const std::span<std::uint8_t> all{frames};
        draw(i, {0, spec_.height()}, all.subspan(static_cast<std::size_t>(i) * frame_bytes(), frame_bytes()));
    }
    prerendered_ = std::move(frames);
}

void Simulation::draw(std::int64_t index, sim::Rows rows, std::span<std::uint8_t> pixels) noexcept {
    const std::int64_t frame = shown(index);
    if (prerendered_.empty()) {
        const double exposure_start_s = static_cast<double>(frame) / spec_.rate_hz;
        renderer_.render(exposure_start_s, static_cast<std::uint64_t>(frame), rows, pixels);
        return;
    }
    const std::size_t row = row_bytes(spec_.pixel_format, spec_.width());
    const std::size_t first = static_cast<std::size_t>(rows.begin) * row;
    const std::uint8_t* source =
        prerendered_.data() + static_cast<std::size_t>(frame) * frame_bytes() + first;
    std::memcpy(pixels.data() + first, source, static_cast<std::size_t>(rows.end - rows.begin) * row);
}

void Simulation::render(std::int64_t index, std::span<std::uint8_t> pixels) noexcept {
    const int tear_row = fate(index).tear_row;
    draw(index, {0, tear_row}, pixels);
    if (tear_row < spec_.height()) {
        draw(index - 1, {tear_row, spec_.height()}, pixels);
    }
}

void Simulation::truth(std::int64_t index, std::span<TrueKeypoint> keypoints) const noexcept {
    renderer_.truth(static_cast<double>(shown(index)) / spec_.rate_hz, keypoints);
}

}  // namespace fastpose
