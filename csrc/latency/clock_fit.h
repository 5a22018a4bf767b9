// Fits a camera's clock to the host's: offset and drift from pairs of readings.
#pragma once
#include <array>
#include <cstdint>

namespace fastpose {

// host_ns = host_reference + (camera_ns - camera_reference) * rate. Least squares over the latest pairs; a
// pair counts less the longer its reading took (its half width is its error). Thread-bound, allocates
// nothing.
class ClockFit {
  public:
    static constexpr int capacity = 64;

    void add(std::int64_t host_before_ns, std::int64_t camera_ns, std::int64_t host_after_ns) noexcept;
    [[nodiscard]] bool fitted() const noexcept { return count_ > 0; }
    [[nodiscard]] std::int64_t to_host_ns(std::int64_t camera_ns) const noexcept;
    [[nodiscard]] double drift_ppm() const noexcept;    // of the camera's clock against the host's
    [[nodiscard]] double residual_ns() const noexcept;  // root mean square over the pairs held

  private:
    struct Pair {
        std::int64_t host_ns, camera_ns;
        double weight;
    };
    void fit() noexcept;

    std::array<Pair, capacity> pairs_{};
    int count_ = 0, next_ = 0;
    std::int64_t host_reference_ = 0, camera_reference_ = 0;
    double rate_ = 1.0, residual_ns_ = 0.0;
};

}  // namespace fastpose
