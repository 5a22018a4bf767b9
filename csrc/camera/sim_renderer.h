// Pixels and true keypoints of the simulated arena at any moment.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "camera/sim_arena.h"
#include "camera/sim_body.h"
#include "camera/sim_row.h"
#include "camera/sim_spec.h"

namespace fastpose {

struct TrueKeypoint {
    float x = 0, y = 0;  // full-frame sensor px
    float visible = 0;   // 1, or 0 where the bar or an individual above hides it or it lies outside the frame
};

}  // namespace fastpose

namespace fastpose::sim {

// Rows [begin, end) of a frame.
struct Rows {
    int begin = 0, end = 0;
};

// Thread-bound: rendering uses scratch memory of its own. Allocates in the constructor only.
class Renderer {
  public:
    explicit Renderer(const SimSpec& spec);

    // Writes the rows of the frame whose exposure begins at time_s into `pixels` (a whole frame, densely
    // packed). noise_key picks the noise: the same key gives the same.
    void render(double time_s, std::uint64_t noise_key, Rows rows, std::span<std::uint8_t> pixels) noexcept;
    // Truth in the middle of the exposure; individuals x kBodyparts, row-major.
    void truth(double time_s, std::span<TrueKeypoint> keypoints) const noexcept;
    [[nodiscard]] const std::vector<Animal>& animals() const noexcept { return animals_; }
    [[nodiscard]] const Bar& bar() const noexcept { return bar_; }

  private:
    [[nodiscard]] bool in_view(const Point& point) const noexcept;
    [[nodiscard]] std::span<const Posture> fill_moments(const Animal& animal, double time_s) noexcept;
    void draw_animal(const Animal& animal, double time_s, Rows rows, std::uint8_t* pixels) noexcept;
    void add_flicker(double time_s, Rows rows, std::uint8_t* pixels) const noexcept;
    void add_noise(std::uint64_t noise_key, Rows rows, std::uint8_t* pixels) const noexcept;

    SimSpec spec_;
    std::size_t row_bytes_;
    std::vector<Animal> animals_;
    Bar bar_;
    RowPainter painter_;
    std::vector<std::uint8_t> arena_;
    std::vector<std::int8_t> noise_;
    std::vector<Posture> moments_;
};

}  // namespace fastpose::sim
