// Where the simulated animal is: a closed path through the arena, walked with runs, pauses and turns, as a
// pure function of seed and time.
#pragma once
#include <cstdint>
#include <vector>

namespace fastpose::sim {

struct Motion {
    double x = 0, y = 0;  // px, middle of the body
    double heading = 0;   // rad, image axes, continuous over a lap (not wrapped)
    double turn_rad_s = 0;
    double speed_px_s = 0;
    double strides = 0;  // distance walked in strides; a whole number over a lap
};

struct Territory {
    double centre_x = 0, centre_y = 0;  // px
    double reach_x = 0, reach_y = 0;    // px; |x - centre_x| < reach_x always
    double body_length_px = 118;        // sets speeds (0.5 to 3.5 body lengths a second) and strides
};

// Note [one lap]
// The path is a Fourier series in a lap parameter, squashed towards the walls. Walking time along it comes
// from a speed profile, dwell times where the animal pauses, and a limit on turning, so that it turns on the
// spot where the path has a cusp. The result is resampled in time and smoothed: a table of one lap (some
// minutes), which repeats without a seam. Time is then the only argument and any moment can be asked for.
class Trajectory {
  public:
    Trajectory(const Territory& territory, std::uint64_t seed);

    // Thread-safe. Any time, negative too.
    [[nodiscard]] Motion at(double time_s) const noexcept;
    [[nodiscard]] double heading_at(double time_s) const noexcept;
    [[nodiscard]] double period_s() const noexcept;

    struct Sample {
        double x = 0, y = 0, heading = 0, strides = 0;
    };

  private:
    [[nodiscard]] Sample sample(std::int64_t index) const noexcept;

    std::vector<Sample> lap_;  // one lap, kSampleHz
    double heading_per_lap_ = 0, strides_per_lap_ = 0;
};

}  // namespace fastpose::sim
