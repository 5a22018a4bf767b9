// Draws without state for the simulated camera: every random number is a pure function of its keys, so any
// frame can be made at random access.
#pragma once
#include <array>
#include <cmath>
#include <cstdint>
#include <numbers>

namespace fastpose::sim {

// What a draw is for; keeps the draws of one seed apart.
enum class Stream : std::uint64_t {
    path_x = 1,
    path_y,
    speed,
    pause,
    individual,
    look,
    posture,
    head,
    stretch,
    tail,
    floor,
    specks,
    occluder,
    noise,
    noise_row,
    flicker,
    fur,
    drop,
    late,
    torn,
    tear_row,
    failed,
};

// The finaliser of SplitMix64 (Steele, Lea, Flood 2014): every input bit reaches every output bit.
[[nodiscard]] constexpr std::uint64_t mix(std::uint64_t key) noexcept {
    key += 0x9E3779B97F4A7C15ULL;
    key = (key ^ (key >> 30)) * 0xBF58476D1CE4E5B9ULL;
    key = (key ^ (key >> 27)) * 0x94D049BB133111EBULL;
    return key ^ (key >> 31);
}

[[nodiscard]] constexpr std::uint64_t hash_of(std::uint64_t seed, Stream stream,
                                              std::uint64_t index = 0) noexcept {
    return mix(mix(mix(seed) ^ static_cast<std::uint64_t>(stream)) ^ index);
}

// In [0, 1).
[[nodiscard]] constexpr double uniform(std::uint64_t seed, Stream stream, std::uint64_t index = 0) noexcept {
    return static_cast<double>(hash_of(seed, stream, index) >> 11) * 0x1.0p-53;
}

[[nodiscard]] constexpr double uniform(std::uint64_t seed, Stream stream, std::uint64_t index, double low,
                                       double high) noexcept {
    return low + (high - low) * uniform(seed, stream, index);
}

// Standard normal draw (Box and Muller 1958).
[[nodiscard]] inline double normal(std::uint64_t seed, Stream stream, std::uint64_t index) noexcept {
    const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform(seed, stream, 2 * index)));
    return radius * std::cos(2.0 * std::numbers::pi * uniform(seed, stream, 2 * index + 1));
}

// Smooth noise over time in [-1, 1]: four sinusoids around base_hz with hashed frequencies and phases.
class WaveNoise {
  public:
    WaveNoise() = default;
    WaveNoise(std::uint64_t seed, Stream stream, double base_hz) noexcept {
        for (std::size_t k = 0; k < kWaves; ++k) {
            hz_[k] = base_hz * std::exp(uniform(seed, stream, 2 * k, -0.9, 0.9));
            phase_[k] = 2.0 * std::numbers::pi * uniform(seed, stream, 2 * k + 1);
        }
    }
    [[nodiscard]] double at(double time_s) const noexcept {
        double sum = 0;
        for (std::size_t k = 0; k < kWaves; ++k) {
            sum += std::sin(2.0 * std::numbers::pi * hz_[k] * time_s + phase_[k]);
        }
        return sum / kWaves;
    }

  private:
    static constexpr std::size_t kWaves = 4;
    std::array<double, kWaves> hz_{}, phase_{};
};

}  // namespace fastpose::sim
