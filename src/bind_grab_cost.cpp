// What a frame costs between a camera's library and the loop.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include "bindings.h"
#include "camera/grab_cost.h"
#include "engine/take_times.h"

namespace py = pybind11;
using namespace py::literals;
using namespace fastpose;

namespace {

py::array_t<std::int64_t> array_of(const std::vector<std::int64_t>& values) {
    return py::array_t<std::int64_t>(static_cast<py::ssize_t>(values.size()), values.data());
}

py::dict measure(Camera& camera, Ring& ring, int frames) {
    GrabCost cost;
    {
        py::gil_scoped_release unlocked;
        cost = measure_grab_cost(camera, ring, frames);
    }
    return py::dict("queued_ns"_a = array_of(cost.queued_ns), "live_ns"_a = array_of(cost.live_ns),
                    "failed"_a = cost.failed);
}

py::array_t<std::int64_t> take(Ring& ring, int frames) {
    std::vector<std::int64_t> taken_ns;
    {
        py::gil_scoped_release unlocked;
        taken_ns = take_times(ring, frames);
    }
    return array_of(taken_ns);
}

}  // namespace

void bind_grab_cost(py::module_& m) {
    m.def("measure_grab_cost", &measure, "camera"_a, "ring"_a, py::kw_only(), "frames"_a,
          "Arms the camera; {'queued_ns', 'live_ns': int64 arrays, 'failed': frames}.");
    m.def("take_times", &take, "ring"_a, py::kw_only(), "frames"_a,
          "Takes frames as a loop that is awake; when it had each, ns.");
}
