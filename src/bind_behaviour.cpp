// What a frame's rules, protocol and interlock cost together: for benches.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "bindings_rules.h"
#include "output/interlock.h"
#include "protocol/protocol.h"
#include "rule/rule_set.h"

namespace py = pybind11;
using namespace py::literals;
using namespace fastpose;

namespace {

using Poses = py::array_t<float, py::array::c_style>;  // (frames, individuals, bodyparts, 3)

// Frames come one after the other, `step_ns` apart, over and over.
py::array_t<std::int64_t> time_behaviour(RuleSet& rules, Protocol& protocol, Interlock& interlock,
                                         Poses& poses, int calls, std::int64_t step_ns) {
    if (poses.ndim() != 4 || poses.shape(3) != 3 || poses.shape(0) < 1)
        throw ConfigError("poses are not (frames, individuals, bodyparts, 3)");
    const int individuals = static_cast<int>(poses.shape(1)), bodyparts = static_cast<int>(poses.shape(2));
    auto* keypoints = reinterpret_cast<Keypoint*>(poses.mutable_data());
    py::array_t<std::int64_t> times({calls, 3});
    auto* stamps = times.mutable_data();
    py::gil_scoped_release release;
    for (int i = 0; i < calls; ++i, stamps += 3) {
        const PoseView pose{
            keypoints + static_cast<std::size_t>(i % poses.shape(0)) * individuals * bodyparts, individuals,
            bodyparts};
        const std::int64_t exposure_ns = (i + 1) * step_ns, start = now_ns();
        rules.update(pose, exposure_ns);
        const std::int64_t ruled = now_ns();
        Decision decision{};
        protocol.step({pose, rules.values(), i, exposure_ns, exposure_ns}, decision);
        const std::int64_t decided = now_ns();
        for (int k = 0; k < decision.count; ++k)
            static_cast<void>(interlock.apply(decision.commands[static_cast<std::size_t>(k)]));
        stamps[0] = ruled - start, stamps[1] = decided - ruled, stamps[2] = now_ns() - decided;
    }
    return times;
}

}  // namespace

void bind_behaviour(py::module_& m) {
    m.def("time_behaviour_ns", &time_behaviour, "rules"_a, "protocol"_a, "interlock"_a, "poses"_a,
          py::kw_only(), "calls"_a, "step_ns"_a,
          "(calls, 3) wall time of rules, protocol and interlock, ns.");
}
