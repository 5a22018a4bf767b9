// Chance that is the same on every machine: a seed gives one sequence, whatever the compiler and its library.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

namespace fastpose {

// SplitMix64 (Steele, Lea, Flood 2014). Distributions are our own: those of the standard library differ from
// one implementation to the next.
class Random {
  public:
    explicit Random(std::uint64_t seed) noexcept : state_(seed) {}

    std::uint64_t next() noexcept {
        state_ += 0x9e3779b97f4a7c15ULL;
        std::uint64_t z = state_;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
        return z ^ (z >> 31);
    }
    // 0 <= x < 1, in steps of 2^-53.
    double fraction() noexcept { return static_cast<double>(next() >> 11) * 0x1p-53; }
    // 0 <= x < count, each as often; count of at least 1. What would favour some is drawn again.
    std::uint64_t below(std::uint64_t count) noexcept {
        const std::uint64_t unfair = (0 - count) % count;
        std::uint64_t drawn = next();
        while (drawn < unfair) drawn = next();
        return drawn % count;
    }

  private:
    std::uint64_t state_;
};

// Fisher-Yates.
template <class Item>
void shuffle(std::span<Item> items, Random& random) noexcept {
    for (std::size_t left = items.size(); left > 1; --left)
        std::swap(items[left - 1], items[static_cast<std::size_t>(random.below(left))]);
}

}  // namespace fastpose
