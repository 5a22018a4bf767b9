// A latency histogram of fixed size: buckets grow with the value, so every percentile is known within 1.6 %.
#pragma once
#include <array>
#include <atomic>
#include <cstdint>

namespace fastpose {

struct LatencySummary {
    std::int64_t n = 0;
    std::int64_t p50_ns = 0, p90_ns = 0, p99_ns = 0, p999_ns = 0, max_ns = 0;
};

// One thread adds, any thread may read a summary meanwhile. Allocates nothing.
class LatencyHistogram {
  public:
    void add(std::int64_t latency_ns) noexcept;  // negative values count as 0
    [[nodiscard]] LatencySummary summary() const noexcept;
    // Upper edge of the bucket that holds the p-quantile (0-1).
    [[nodiscard]] std::int64_t quantile_ns(double p) const noexcept;
    void reset() noexcept;

  private:
    static constexpr int linear_bits = 6;                              // 64 buckets per power of two
    static constexpr int buckets = (42 - linear_bits) << linear_bits;  // up to 2^41 ns, 36 minutes
    static int bucket_of(std::uint64_t value) noexcept;
    static std::int64_t upper_edge(int bucket) noexcept;

    std::array<std::atomic<std::int64_t>, buckets> counts_{};
    std::atomic<std::int64_t> n_{0};
    std::atomic<std::int64_t> max_{0};
};

}  // namespace fastpose
