// What one step of a protocol takes, on a thread that holds no Python lock.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <chrono>
#include <cstdint>
#include <vector>

#include "base/error.h"
#include "protocol/protocol.h"

namespace py = pybind11;
using namespace py::literals;
using namespace fastpose;

namespace {

using PoseArray = py::array_t<float, py::array::c_style | py::array::forcecast>;

std::int64_t ns_now() {
    using std::chrono::steady_clock;
    return std::chrono::duration_cast<std::chrono::nanoseconds>(steady_clock::now().time_since_epoch())
        .count();
}

// Frames are 10 ms apart; the rules turn with every frame, so that each step has something to do.
void step_all(Protocol& protocol, const PoseView& pose, std::vector<std::uint8_t> rules,
              std::vector<std::int64_t>& taken_ns) {
    constexpr std::int64_t period_ns = 10'000'000;
    Decision decision;
    std::int64_t frame = 0;
    for (std::int64_t& taken : taken_ns) {
        for (std::uint8_t& rule : rules) rule = rule != 0 ? 0 : 1;
        decision.count = 0;
        const std::int64_t exposure_ns = ++frame * period_ns;
        const std::int64_t begin_ns = ns_now();
        protocol.step({pose, rules, frame, exposure_ns, exposure_ns}, decision);
        taken = ns_now() - begin_ns;
    }
}

py::array_t<std::int64_t> protocol_cost(Protocol& protocol, PoseArray& keypoints,
                                        const std::vector<std::uint8_t>& rules, std::size_t steps) {
    if (keypoints.ndim() != 3 || keypoints.shape(2) != 3)
        throw ConfigError("keypoints: the shape (individuals, bodyparts, 3) is needed");
    const PoseView pose{reinterpret_cast<Keypoint*>(keypoints.mutable_data()),
                        static_cast<int>(keypoints.shape(0)), static_cast<int>(keypoints.shape(1))};
    std::vector<std::int64_t> taken_ns(steps);
    {
        const py::gil_scoped_release unlocked;
        step_all(protocol, pose, rules, taken_ns);
    }
    return py::array_t<std::int64_t>(static_cast<py::ssize_t>(steps), taken_ns.data());
}

}  // namespace

void bind_protocol_cost(py::module_& m) {
    m.def("protocol_cost", &protocol_cost, "protocol"_a, "keypoints"_a, "rules"_a, py::kw_only(), "steps"_a,
          "(steps,) ns that each step took.");
}
