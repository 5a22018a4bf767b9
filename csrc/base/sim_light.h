// A light that exists in this process only: a simulated line drives it, a simulated camera sees it.
#pragma once
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace fastpose {

// Thread-safe; no function blocks or allocates. It remembers the last edges only, see kEdges.
class SimLight {
  public:
    static constexpr std::size_t kEdges = 256;

    // The light goes on or off at this time of the host's clock.
    void set(bool on, std::int64_t at_ns) noexcept;
    // Fraction, 0 to 1, of the interval for which it was on, by the edges that it was told of until now.
    [[nodiscard]] double fraction_on(std::int64_t begin_ns, std::int64_t end_ns) const noexcept;

  private:
    std::array<std::atomic<std::int64_t>, kEdges> edges_{};  // 2 * at_ns + on; 0: none
    std::atomic<std::size_t> count_{0};
};

// The light of this name: all of this process that name it share it while one of them lives.
[[nodiscard]] std::shared_ptr<SimLight> sim_light(const std::string& name);

}  // namespace fastpose
