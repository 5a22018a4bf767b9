// Frames and truth by index, rendered or prerendered.
#include "camera/sim_simulation.h"

#include "camera/sim_packing.h"

namespace fastpose {
namespace {

SimSpec checked(SimSpec spec) {
    spec.validate();
    return spec;
}

SimSpec drawn(SimSpec spec) {
    spec.pixel_format = sim::drawn_as(spec.pixel_format);
    return spec;
}

}  // namespace

Simulation::Simulation(const SimSpec& spec) : spec_(checked(spec)), renderer_(drawn(spec)) {
    const PixelFormat format = sim::drawn_as(spec.pixel_format);
    if (format != spec.pixel_format)
        drawn_.resize(fastpose::frame_bytes(format, spec.width(), spec.height()));
}

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
    if (!prerendered_.empty()) {
        const std::span<const std::uint8_t> all{prerendered_};
        const std::size_t first = static_cast<std::size_t>(frame) * frame_bytes();
        sim::copy_rows(all.subspan(first, frame_bytes()), spec_.pixel_format, spec_.width(), spec_.height(),
                       rows, pixels);
        return;
    }
    const double exposure_start_s = static_cast<double>(frame) / spec_.rate_hz;
    const auto noise_key = static_cast<std::uint64_t>(frame);
    if (drawn_.empty()) {
        renderer_.render(exposure_start_s, noise_key, rows, pixels);
        return;
    }
    // Chroma of a last odd row needs the row below it.
    const sim::Rows needed{rows.begin, rows.end + (rows.end % 2 != 0 && rows.end < spec_.height() ? 1 : 0)};
    renderer_.render(exposure_start_s, noise_key, needed, drawn_);
    sim::pack_rows(drawn_, spec_.pixel_format, spec_.width(), spec_.height(), rows, pixels);
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
