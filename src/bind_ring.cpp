// The frame ring for Python-hosted drivers and encoders.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include "bindings.h"
#include "clock_report.h"
#include "frame/ring.h"
#include "latency/clock_fit.h"

namespace py = pybind11;
using namespace fastpose;

namespace {

constexpr std::int64_t ns_per_ms = 1'000'000;

HostState state_from(const std::string& name) {
    if (name == "starting") return HostState::starting;
    if (name == "ready") return HostState::ready;
    if (name == "finished") return HostState::finished;
    if (name == "failed") return HostState::failed;
    if (name == "lost") return HostState::lost;
    throw py::value_error("state '" + name + "': allowed are starting, ready, finished, failed, lost");
}

std::string name_of(HostState state) {
    constexpr const char* names[] = {"none", "starting", "ready", "finished", "failed", "lost"};
    return names[static_cast<int>(state)];
}

std::unique_ptr<Ring> create(const std::string& name, int slots, int width, int height,
                             const std::string& pixel_format, const std::string& frames, bool loop,
                             bool recorder, bool record_taken, std::int64_t stride_bytes, int producer_slots,
                             std::int64_t buffer_bytes) {
    RingSpec spec{slots,
                  width,
                  height,
                  pixel_format_from(pixel_format),
                  frames == "every" ? FramePolicy::every : FramePolicy::newest,
                  loop,
                  recorder,
                  record_taken,
                  stride_bytes,
                  producer_slots,
                  buffer_bytes};
    return Ring::create(name, spec);
}

FrameMeta sized(const Ring& ring, FrameMeta stamps) {
    stamps.width = ring.spec().width;
    stamps.height = ring.spec().height;
    return stamps;
}

FrameMeta make_meta(const Ring& ring, std::int64_t camera_counter, std::int64_t camera_timestamp_ns,
                    std::int64_t exposure_start_ns, std::int64_t received_ns, int flags,
                    int exposure_error_ns) {
    FrameMeta meta;
    meta.camera_counter = camera_counter;
    meta.camera_timestamp_ns = camera_timestamp_ns;
    meta.exposure_start_ns = exposure_start_ns;
    meta.received_ns = received_ns;
    meta.flags = flags;
    meta.exposure_error_ns = exposure_error_ns;
    return sized(ring, meta);
}

py::object recorder_next(Ring& ring, double timeout_ms) {
    int slot = -1;
    {
        py::gil_scoped_release unlocked;
        slot = ring.recorder_next(static_cast<std::int64_t>(timeout_ms * ns_per_ms));
    }
    if (slot < 0) return py::none();
    const FrameMeta& meta = ring.meta(slot);
    return py::make_tuple(slot, meta.frame_id, meta.flags, meta.exposure_start_ns);
}

py::object next_ledger_entry(Ring& ring) {
    LedgerEntry entry;
    if (!ring.next_ledger_entry(entry)) return py::none();
    constexpr const char* fates[] = {"", "not_looped", "superseded", "not_recorded", "missing", "failed"};
    return py::make_tuple(fates[static_cast<int>(entry.fate)], entry.meta.frame_id,
                          entry.meta.camera_counter);
}

py::dict counts(const Ring& ring) {
    const RingCounts c = ring.counts();
    return py::dict(py::arg("published") = c.published, py::arg("superseded") = c.superseded,
                    py::arg("not_recorded") = c.not_recorded, py::arg("missing") = c.missing,
                    py::arg("failed") = c.failed, py::arg("times_lost") = c.times_lost,
                    py::arg("ledger_lost") = c.ledger_lost, py::arg("recorded") = c.recorded,
                    py::arg("recorder_queue") = c.recorder_queue,
                    py::arg("recorder_waiting") = c.recorder_waiting);
}

std::int64_t to_ns(double ms) { return static_cast<std::int64_t>(ms * ns_per_ms); }

void bind_producer(py::class_<Ring, std::shared_ptr<Ring>>& ring) {
    using release_gil = py::call_guard<py::gil_scoped_release>;
    ring.def(
        "acquire", [](Ring& r, double timeout_ms) { return r.acquire(to_ns(timeout_ms)); },
        py::arg("timeout_ms"), release_gil());
    ring.def(
        "publish",
        [](Ring& r, int slot, const FrameMeta& stamps) { return r.publish(slot, sized(r, stamps)); },
        py::arg("slot"), py::arg("stamps"), release_gil());
    ring.def(
        "publish",
        [](Ring& r, int slot, std::int64_t counter, std::int64_t camera_ns, std::int64_t exposure_ns,
           std::int64_t received_ns, int flags, int error_ns) {
            return r.publish(slot,
                             make_meta(r, counter, camera_ns, exposure_ns, received_ns, flags, error_ns));
        },
        py::arg("slot"), py::kw_only(), py::arg("camera_counter"), py::arg("camera_timestamp_ns"),
        py::arg("exposure_start_ns"), py::arg("received_ns"), py::arg("flags") = 0,
        py::arg("exposure_error_ns") = 0, release_gil());
    ring.def(
        "note_failed", [](Ring& r, const FrameMeta& stamps) { r.note_failed(sized(r, stamps)); },
        py::arg("stamps"));
    ring.def(
        "note_failed",
        [](Ring& r, std::int64_t counter, std::int64_t camera_ns, std::int64_t exposure_ns,
           std::int64_t received_ns, int flags, int error_ns) {
            r.note_failed(make_meta(r, counter, camera_ns, exposure_ns, received_ns, flags, error_ns));
        },
        py::kw_only(), py::arg("camera_counter"), py::arg("camera_timestamp_ns") = 0,
        py::arg("exposure_start_ns") = 0, py::arg("received_ns") = 0, py::arg("flags") = 0,
        py::arg("exposure_error_ns") = 0, "A frame that was exposed and whose pixels did not arrive whole.");
    ring.def(
        "set_producer_state",
        [](Ring& r, const std::string& state, const std::string& text) {
            r.set_producer_state(state_from(state), text.c_str());
        },
        py::arg("state"), py::arg("text") = "");
    ring.def(
        "set_clock",
        [](Ring& r, const ClockFit& clock, const std::string& ptp) {
            ClockReport report = clock.report();
            set_ptp(report, ptp);
            r.set_clock(report);
        },
        py::arg("clock"), py::kw_only(), py::arg("ptp") = "",
        "Reports the camera's clock to the session; ptp: its state as the camera names it.");
    ring.def(
        "wait_started", [](Ring& r, double timeout_ms) { return r.wait_started(to_ns(timeout_ms)); },
        py::arg("timeout_ms"), release_gil());
    ring.def("note_armed", &Ring::note_armed);
    ring.def(
        "wait_armed", [](Ring& r, double timeout_ms) { return r.wait_armed(to_ns(timeout_ms)); },
        py::arg("timeout_ms"), release_gil());
}

void bind_consumers(py::class_<Ring, std::shared_ptr<Ring>>& ring) {
    using release_gil = py::call_guard<py::gil_scoped_release>;
    ring.def(
        "take", [](Ring& r, double timeout_ms) { return r.take(to_ns(timeout_ms)); }, py::arg("timeout_ms"),
        release_gil());
    ring.def("release", &Ring::release, py::arg("slot"));
    ring.def("recorder_next", &recorder_next, py::arg("timeout_ms"),
             "(slot, frame_id, flags, exposure_start_ns) of the oldest unrecorded frame, or None.");
    ring.def("recorder_release", &Ring::release, py::arg("slot"));
    ring.def(
        "set_recorder_state",
        [](Ring& r, const std::string& state, const std::string& text) {
            r.set_recorder_state(state_from(state), text.c_str());
        },
        py::arg("state"), py::arg("text") = "");
    ring.def("set_recorder_progress", &Ring::set_recorder_progress, py::kw_only(), py::arg("recorded"),
             py::arg("waiting"), "Frames that the recorder is done with, and those in memory of its own.");
    ring.def("next_ledger_entry", &next_ledger_entry);
    ring.def("disable_recorder", &Ring::disable_recorder);
    ring.def_property_readonly("recorder_drained", &Ring::recorder_drained);
    ring.def_property_readonly("loop_drained", &Ring::loop_drained);
}

}  // namespace

void bind_ring(py::module_& m) {
    m.def("remove_stale_rings", [] { remove_stale_shared_memory(Ring::name_prefix); });
    py::class_<Ring, std::shared_ptr<Ring>> ring(m, "Ring", "Frames in shared memory.");
    ring.def_static(
        "create",
        [](const std::string& name, int slots, int width, int height, const std::string& format,
           const std::string& frames, bool loop, bool recorder, bool record_taken, std::int64_t stride_bytes,
           int producer_slots, std::int64_t buffer_bytes) {
            return std::shared_ptr<Ring>(create(name, slots, width, height, format, frames, loop, recorder,
                                                record_taken, stride_bytes, producer_slots, buffer_bytes));
        },
        py::arg("name"), py::kw_only(), py::arg("slots") = 32, py::arg("width"), py::arg("height"),
        py::arg("pixel_format") = "mono8", py::arg("frames") = "newest", py::arg("loop") = true,
        py::arg("recorder") = true, py::arg("record_taken") = false, py::arg("stride_bytes") = 0,
        py::arg("producer_slots") = 1, py::arg("buffer_bytes") = 0);
    ring.def_static(
        "attach", [](const std::string& name) { return std::shared_ptr<Ring>(Ring::attach(name)); },
        py::arg("name"));
    ring.def_property_readonly("name", &Ring::name);
    ring.def_property_readonly("slots", [](const Ring& r) { return r.spec().slots; });
    ring.def_property_readonly("width", [](const Ring& r) { return r.spec().width; });
    ring.def_property_readonly("height", [](const Ring& r) { return r.spec().height; });
    ring.def_property_readonly("pixel_format",
                               [](const Ring& r) { return std::string(name_of(r.spec().format)); });
    ring.def_property_readonly("slot_bytes", &Ring::slot_bytes);
    ring.def_property_readonly("buffer_bytes", &Ring::buffer_bytes);
    ring.def_property_readonly("stride_bytes", [](const Ring& r) { return r.view(0).stride_bytes; });
    ring.def(
        "address",
        [](const Ring& r, int slot) {
            if (slot < 0 || slot >= r.spec().slots) throw py::index_error("slot out of range");
            return reinterpret_cast<std::uintptr_t>(r.buffer(slot).data());
        },
        py::arg("slot"), "Of the memory of one slot, buffer_bytes long, in this process.");
    ring.def(
        "memory",
        [](const Ring& r, int slot) {
            if (slot < 0 || slot >= r.spec().slots) throw py::index_error("slot out of range");
            const auto pixels = r.pixels(slot);
            return py::memoryview::from_memory(pixels.data(), static_cast<py::ssize_t>(pixels.size()), false);
        },
        py::arg("slot"), py::keep_alive<0, 1>(), "Writable memory of one slot.");
    bind_producer(ring);
    bind_consumers(ring);
    ring.def("start", &Ring::start);
    ring.def("request_stop", &Ring::request_stop);
    ring.def_property_readonly("stop_requested", &Ring::stop_requested);
    ring.def("creator_alive", &Ring::creator_alive);
    ring.def("counts", &counts);
    ring.def("clock", [](const Ring& r) { return as_dict(r.clock()); });
    ring.def_property_readonly("producer_state", [](const Ring& r) { return name_of(r.producer_state()); });
    ring.def_property_readonly("recorder_state", [](const Ring& r) { return name_of(r.recorder_state()); });
    ring.def_property_readonly("producer_text", &Ring::producer_text);
    ring.def_property_readonly("recorder_text", &Ring::recorder_text);
}
