// Edges by arithmetic; wires by name.
#include "camera/sim_wire.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <mutex>

#include "base/clock.h"

namespace fastpose {
namespace {

constexpr std::int64_t never_ns = std::numeric_limits<std::int64_t>::max();

}  // namespace

void SimWire::start(std::int64_t first_ns, double rate_hz, std::int64_t edges) noexcept {
    first_ns_.store(first_ns);
    rate_hz_.store(rate_hz);
    edges_.store(edges);
    end_ns_.store(never_ns);
    started_.store(true);
    event_.notify();
}

void SimWire::stop() noexcept {
    if (started_.load()) end_ns_.store(std::min(end_ns_.load(), now_ns()));
}

bool SimWire::wait_started(std::int64_t until_ns) noexcept {
    return wait_for(event_, std::max<std::int64_t>(until_ns - now_ns(), 0),
                    [this] { return started_.load(); });
}

std::int64_t SimWire::edge_ns(std::int64_t edge) const noexcept {
    return first_ns_.load() + std::llround(static_cast<double>(edge) * 1e9 / rate_hz_.load());
}

std::int64_t SimWire::first_edge_after(std::int64_t time_ns) const noexcept {
    const double edges = static_cast<double>(time_ns - first_ns_.load()) * rate_hz_.load() / 1e9;
    return std::max<std::int64_t>(0, static_cast<std::int64_t>(std::ceil(edges)));
}

bool SimWire::has(std::int64_t edge) const noexcept {
    const std::int64_t edges = edges_.load();
    return (edges < 0 || edge < edges) && edge_ns(edge) <= end_ns_.load();
}

std::shared_ptr<SimWire> sim_wire(const std::string& line) {
    static std::mutex mutex;
    static std::map<std::string, std::weak_ptr<SimWire>> wires;
    const std::lock_guard lock(mutex);
    std::shared_ptr<SimWire> wire = wires[line].lock();
    if (!wire) wires[line] = wire = std::make_shared<SimWire>();
    return wire;
}

}  // namespace fastpose
