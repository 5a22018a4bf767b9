// Log-linear buckets after the idea of HdrHistogram: the top bit chooses the power, the next bits the bucket.
#include "latency/histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace fastpose {

int LatencyHistogram::bucket_of(std::uint64_t value) noexcept {
    constexpr std::uint64_t linear = 1ULL << linear_bits;
    if (value < linear) return static_cast<int>(value);
    const int shift = std::bit_width(value) - 1 - linear_bits;
    const int bucket = ((shift + 1) << linear_bits) + static_cast<int>((value >> shift) - linear);
    return std::min(bucket, buckets - 1);
}

std::int64_t LatencyHistogram::upper_edge(int bucket) noexcept {
    const int power = bucket >> linear_bits;
    if (power == 0) return bucket;
    const std::int64_t within = bucket & ((1 << linear_bits) - 1);
    const std::int64_t lower = (within + (1 << linear_bits)) << (power - 1);
    return lower + (std::int64_t{1} << (power - 1)) - 1;
}

void LatencyHistogram::add(std::int64_t latency_ns) noexcept {
    const std::int64_t value = std::max<std::int64_t>(latency_ns, 0);
    counts_[static_cast<std::size_t>(bucket_of(static_cast<std::uint64_t>(value)))].fetch_add(
        1, std::memory_order_relaxed);
    n_.fetch_add(1, std::memory_order_relaxed);
    if (value > max_.load(std::memory_order_relaxed)) max_.store(value, std::memory_order_relaxed);
}

std::int64_t LatencyHistogram::quantile_ns(double p) const noexcept {
    const std::int64_t n = n_.load(std::memory_order_relaxed);
    if (n == 0) return 0;
    const auto wanted =
        std::max<std::int64_t>(1, static_cast<std::int64_t>(std::ceil(p * static_cast<double>(n))));
    std::int64_t seen = 0;
    for (int bucket = 0; bucket < buckets; ++bucket) {
        seen += counts_[static_cast<std::size_t>(bucket)].load(std::memory_order_relaxed);
        if (seen >= wanted) return std::min(upper_edge(bucket), max_.load(std::memory_order_relaxed));
    }
    return max_.load(std::memory_order_relaxed);
}

LatencySummary LatencyHistogram::summary() const noexcept {
    return {n_.load(std::memory_order_relaxed),
            quantile_ns(0.5),
            quantile_ns(0.9),
            quantile_ns(0.99),
            quantile_ns(0.999),
            max_.load(std::memory_order_relaxed)};
}

void LatencyHistogram::reset() noexcept {
    for (auto& count : counts_) count.store(0, std::memory_order_relaxed);
    n_.store(0);
    max_.store(0);
}

}  // namespace fastpose
