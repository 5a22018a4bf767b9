// Edges in one word each, so that a reader never sees half of one; lights by name.
#include "base/sim_light.h"

#include <algorithm>
#include <map>
#include <mutex>

namespace fastpose {

void SimLight::set(bool on, std::int64_t at_ns) noexcept {
    edges_[count_.fetch_add(1) % kEdges].store(2 * at_ns + (on ? 1 : 0));
}

double SimLight::fraction_on(std::int64_t begin_ns, std::int64_t end_ns) const noexcept {
    std::array<std::int64_t, kEdges> inside{};
    std::size_t count = 0;
    std::int64_t before = 0;
    for (const auto& slot : edges_) {
        const std::int64_t edge = slot.load();
        if (edge / 2 <= begin_ns)
            before = std::max(before, edge);
        else if (edge / 2 < end_ns)
            inside[count++] = edge;
    }
    std::sort(inside.begin(), inside.begin() + static_cast<std::ptrdiff_t>(count));
    std::int64_t lit_ns = 0, since_ns = begin_ns;
    bool on = before % 2 != 0;
    for (std::size_t i = 0; i < count; ++i) {
        lit_ns += on ? inside[i] / 2 - since_ns : 0;
        since_ns = inside[i] / 2;
        on = inside[i] % 2 != 0;
    }
    lit_ns += on ? end_ns - since_ns : 0;
    return static_cast<double>(lit_ns) / static_cast<double>(std::max<std::int64_t>(end_ns - begin_ns, 1));
}

std::shared_ptr<SimLight> sim_light(const std::string& name) {
    static std::mutex mutex;
    static std::map<std::string, std::weak_ptr<SimLight>> lights;
    const std::lock_guard lock(mutex);
    std::shared_ptr<SimLight> light = lights[name].lock();
    if (!light) lights[name] = light = std::make_shared<SimLight>();
    return light;
}

}  // namespace fastpose
