// How a network gets into a graph of ours, for all that are made of one: `stream` to `finish()`.
#pragma once
#include <pybind11/functional.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "cuda/emulated_calls.h"
#include "engine/device_network.h"
#include "engine/kernels_cuda.h"
#include "engine/kernels_host.h"

inline fastpose::EmulatedCuda& emulation() {
    static fastpose::EmulatedCuda calls(fastpose::host_kernels());
    return calls;
}

inline fastpose::CudaCalls& calls_of(bool emulated) {
    return emulated ? static_cast<fastpose::CudaCalls&>(emulation()) : fastpose::system_cuda_calls();
}

// A Python object that C++ may drop on any thread.
inline std::shared_ptr<pybind11::object> held(pybind11::object object) {
    return {new pybind11::object(std::move(object)), [](pybind11::object* owned) {
                if (!Py_IsInitialized()) {  // dropped by a static after Python: its memory went with Python
                    (void)owned->release();
                    delete owned;
                    return;
                }
                const pybind11::gil_scoped_acquire locked;
                delete owned;
            }};
}

// What Python raised is told where it can be: on standard error.
inline fastpose::DeviceNetwork::Call call_of(pybind11::object callable) {
    return [call = held(std::move(callable))] {
        const pybind11::gil_scoped_acquire locked;
        try {
            return pybind11::cast<bool>((*call)());
        } catch (pybind11::error_already_set& error) {
            error.discard_as_unraisable("the network of a frame");
        } catch (const pybind11::cast_error&) {
        }
        return false;
    };
}

inline std::uintptr_t address_of(const void* memory) { return reinterpret_cast<std::uintptr_t>(memory); }

template <class Owner, class Class>
void bind_making(Class& bound) {
    using namespace pybind11::literals;
    using release_gil = pybind11::call_guard<pybind11::gil_scoped_release>;
    bound.def_property_readonly("stream", [](Owner& o) { return address_of(o.network().stream().handle()); })
        .def_property_readonly("input_address", [](Owner& o) { return address_of(o.network().input()); })
        .def_property_readonly("output_addresses",
                               [](Owner& o) {
                                   std::vector<std::uintptr_t> addresses;
                                   for (const auto& output : o.network().outputs())
                                       addresses.push_back(address_of(output.data));
                                   return addresses;
                               })
        .def(
            "synchronize", [](Owner& o) { o.network().stream().synchronize(); }, release_gil())
        .def("begin_capture", [](Owner& o) { o.network().begin_capture(); })
        .def(
            "end_capture", [](Owner& o, bool good) { return o.network().end_capture(good); }, "good"_a = true)
        .def_property_readonly("capture_error", [](Owner& o) { return o.network().capture_error(); })
        .def(
            "adopt_graph",
            [](Owner& o, std::uintptr_t graph) {
                o.network().adopt(reinterpret_cast<fastpose::CudaHandle>(graph));
            },
            "graph"_a)
        .def(
            "call_each_frame",
            [](Owner& o, pybind11::object call) { o.network().call_each_frame(call_of(std::move(call))); },
            "call"_a)
        .def(
            "emulate_work",
            [](Owner& o, pybind11::object call) {
                emulation().enqueue(o.network().stream().handle(), call_of(std::move(call)));
            },
            "call"_a)
        .def(
            "keep", [](Owner& o, pybind11::object owner) { o.network().keep(held(std::move(owner))); },
            "owner"_a)
        .def("finish", &Owner::finish, release_gil());
}
