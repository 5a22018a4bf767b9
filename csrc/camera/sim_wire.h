// A wire between simulated cameras: the edges of one that exposes by its own clock expose the others.
#pragma once
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "base/shared_event.h"

namespace fastpose {

// Edges on absolute deadlines. Thread-safe; one camera drives it.
class SimWire {
  public:
    // Edge k comes at first_ns + k / rate_hz, for `edges` of them (negative: until stop()).
    void start(std::int64_t first_ns, double rate_hz, std::int64_t edges) noexcept;
    // No edges from now on.
    void stop() noexcept;
    // Whether there are edges; waits for them until then.
    [[nodiscard]] bool wait_started(std::int64_t until_ns) noexcept;

    [[nodiscard]] std::int64_t edge_ns(std::int64_t edge) const noexcept;
    // The first edge at or after that time.
    [[nodiscard]] std::int64_t first_edge_after(std::int64_t time_ns) const noexcept;
    // Whether this edge comes, or came.
    [[nodiscard]] bool has(std::int64_t edge) const noexcept;

  private:
    std::atomic<std::int64_t> first_ns_{0}, edges_{-1}, end_ns_{0};
    std::atomic<double> rate_hz_{1};
    std::atomic<bool> started_{false};
    SharedEvent event_;
};

// The wire of this name: all cameras of this process that name it share it while one of them lives.
[[nodiscard]] std::shared_ptr<SimWire> sim_wire(const std::string& line);

}  // namespace fastpose
