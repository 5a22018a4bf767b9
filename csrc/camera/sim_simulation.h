// The simulated camera without a clock: frames, truth and faults by index.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "camera/sim_faults.h"
#include "camera/sim_renderer.h"
#include "camera/sim_spec.h"

namespace fastpose {

// Thread-bound. Allocates in the constructor and in prerender() only.
class Simulation {
  public:
    // Throws ConfigError.
    explicit Simulation(const SimSpec& spec);

    // Renders the spec's prerender_frames, if any, into memory; render() then copies.
    void prerender();
    // The frame as the camera delivers it (torn if that is its fate) into `pixels` (frame_bytes()). Any
    // index.
    void render(std::int64_t index, std::span<std::uint8_t> pixels) noexcept;
    // Truth in the middle of the exposure of frame `index`; individuals x bodyparts, row-major.
    void truth(std::int64_t index, std::span<TrueKeypoint> keypoints) const noexcept;
    [[nodiscard]] SimFate fate(std::int64_t index) const noexcept { return sim_fate(spec_, index); }
    [[nodiscard]] const SimSpec& spec() const noexcept { return spec_; }
    [[nodiscard]] std::size_t frame_bytes() const noexcept;
    [[nodiscard]] const sim::Renderer& renderer() const noexcept { return renderer_; }

  private:
    // With prerender_frames the animal repeats itself; faults do not.
    [[nodiscard]] std::int64_t shown(std::int64_t index) const noexcept;
    void draw(std::int64_t index, sim::Rows rows, std::span<std::uint8_t> pixels) noexcept;

    SimSpec spec_;
    sim::Renderer renderer_;
    std::vector<std::uint8_t> drawn_;  // where the camera's format is made from another one, see drawn_as
    std::vector<std::uint8_t> prerendered_;
};

}  // namespace fastpose
