// The engine and its parts, as the runner puts them together.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include "base/error.h"
#include "bindings.h"
#include "camera/memory_camera.h"
#include "camera/sim_camera.h"
#include "engine/engine.h"
#include "output_actions.h"
#include "preprocess_spec.h"

namespace py = pybind11;
using namespace py::literals;
using namespace fastpose;

namespace {

constexpr double ns_per_ms = 1e6;
std::int64_t to_ns(double ms) { return static_cast<std::int64_t>(ms * ns_per_ms); }

py::array_t<float> copy_of(const PoseView& pose) {
    py::array_t<float> array({pose.individuals, pose.bodyparts, 3});
    std::memcpy(array.mutable_data(), pose.keypoints,
                static_cast<std::size_t>(pose.size()) * sizeof(Keypoint));
    return array;
}

std::shared_ptr<PipelineParts> make_parts(std::shared_ptr<Estimator> estimator,
                                          std::shared_ptr<Identity> identity, std::shared_ptr<Filter> filter,
                                          std::vector<std::shared_ptr<Rule>> rules,
                                          std::shared_ptr<Protocol> protocol,
                                          std::shared_ptr<Interlock> interlock, int individuals,
                                          int bodyparts, std::vector<int> rule_ids) {
    auto parts = std::make_shared<PipelineParts>();
    parts->estimator = std::move(estimator);
    parts->identity = std::move(identity);
    parts->filter = std::move(filter);
    parts->rules = std::move(rules);
    parts->rule_ids = std::move(rule_ids);
    parts->protocol = std::move(protocol);
    parts->interlock = std::move(interlock);
    parts->individuals = individuals;
    parts->bodyparts = bodyparts;
    return parts;
}

FrameView view_of(const py::array& frame, PixelFormat format) {
    const bool wide = white_of(format) > 255;
    if (frame.ndim() < 2 || frame.itemsize() != (wide ? 2 : 1) || (frame.flags() & py::array::c_style) == 0)
        throw ConfigError("frame of " + std::string(name_of(format)) + ": allowed are rows of " +
                          (wide ? "uint16" : "uint8") + ", densely packed");
    return {static_cast<const std::uint8_t*>(frame.data()), static_cast<int>(frame.shape(1)),
            static_cast<int>(frame.shape(0)), frame.strides(0), format};
}

// The frame's size and format were checked against the estimator's plan by the caller.
py::array_t<float> process(Pipeline& pipeline, const py::array& frame, const std::string& pixel_format,
                           std::int64_t exposure_start_ns) {
    const FrameView view = view_of(frame, pixel_format_from(pixel_format));
    FrameMeta meta;
    meta.exposure_start_ns = exposure_start_ns;
    FrameRecord record{};
    {
        py::gil_scoped_release unlocked;
        pipeline.process(view, meta, record);
    }
    if ((record.flags & frame_pose_failed) != 0)
        throw std::runtime_error(pipeline.parts().estimator->last_error());
    return copy_of(pipeline.filtered());
}

py::dict as_dict(const LatencySummary& s) {
    return py::dict("n"_a = s.n, "p50_ns"_a = s.p50_ns, "p90_ns"_a = s.p90_ns, "p99_ns"_a = s.p99_ns,
                    "p999_ns"_a = s.p999_ns, "max_ns"_a = s.max_ns);
}

const char* name_of(Fifo fifo) {
    constexpr const char* names[] = {"not_asked", "refused", "over_budget", "granted"};
    return names[static_cast<int>(fifo)];
}

py::dict as_dict(const LoopTiming& t) {
    return py::dict("fifo"_a = name_of(t.fifo), "fifo_left"_a = t.left,
                    "warm_up_work_ns"_a = t.warm_up_work_ns, "expected_share"_a = t.expected_share,
                    "share"_a = t.share, "most_share"_a = t.most_share, "frames"_a = t.frames,
                    "spun"_a = t.spun, "spin_ns"_a = t.spin_ns);
}

py::dict as_dict(const CameraSnapshot& s) {
    return py::dict("published"_a = s.published, "processed"_a = s.processed,
                    "dropped_ring"_a = s.dropped_ring, "dropped_camera"_a = s.dropped_camera,
                    "dropped_recorder"_a = s.dropped_recorder, "dropped_transport"_a = s.dropped_transport,
                    "unmatched"_a = s.unmatched, "times_lost"_a = s.times_lost, "late"_a = s.late,
                    "feed_dropped"_a = s.feed_dropped, "newest_exposure_ns"_a = s.newest_exposure_ns,
                    "expected_work_ns"_a = s.expected_work_ns, "recorder_queue"_a = s.recorder_queue,
                    "exposure_to_decided"_a = as_dict(s.exposure_to_decided),
                    "exposure_to_acted"_a = as_dict(s.exposure_to_acted),
                    "dequeued_to_decided"_a = as_dict(s.dequeued_to_decided));
}

py::dict snapshot(const Engine& engine) {
    const EngineSnapshot s = engine.snapshot();
    py::dict shot = as_dict(static_cast<const CameraSnapshot&>(s));
    py::list cameras;
    for (const CameraSnapshot& camera : s.cameras) cameras.append(as_dict(camera));
    shot["lost_records"] = s.lost_records;
    shot["outputs_ended_ns"] = s.outputs_ended_ns;
    shot["rules"] = s.rules;
    shot["outputs"] = s.outputs;
    shot["cameras"] = cameras;
    return shot;
}

FaultKind fault_kind_from(const std::string& name) {
    if (name == "CameraError") return FaultKind::camera;
    if (name == "CameraDisconnected") return FaultKind::camera_disconnected;
    if (name == "ModelError") return FaultKind::model;
    if (name == "OutputError") return FaultKind::output;
    if (name == "RecordError") return FaultKind::record;
    if (name == "FastposeError") return FaultKind::protocol;
    return FaultKind::device;
}

py::object next_pose(Engine& engine, double timeout_ms, std::size_t camera) {
    PoseFeed* feed = engine.pose_feed(camera);
    if (feed == nullptr)
        throw py::value_error("this engine was made without pose_feed, or the camera has no pipeline");
    py::array_t<float> pose(static_cast<py::ssize_t>(feed->keypoints() * 3));
    PoseHeader header{};
    bool got = false;
    {
        auto* keypoints = reinterpret_cast<Keypoint*>(pose.mutable_data());
        py::gil_scoped_release unlocked;
        got = feed->pop(header, keypoints, to_ns(timeout_ms));
    }
    if (!got) return py::none();
    return py::make_tuple(header.frame_id, header.exposure_start_ns, header.decided_ns, header.rules,
                          header.flags, pose);
}

py::object newest_frame(Engine& engine, std::size_t camera) {
    HeldFrame* held = engine.held_frame(camera);
    if (held == nullptr) throw py::value_error("this engine was made without hold_frames");
    const int slot = held->take();
    if (slot < 0) return py::none();
    const FrameMeta meta = held->ring().meta(slot);
    const auto pixels = held->ring().pixels(slot);
    py::array_t<std::uint8_t> copy(static_cast<py::ssize_t>(pixels.size()));
    std::memcpy(copy.mutable_data(), pixels.data(), pixels.size());
    held->give_back(slot);
    return py::make_tuple(meta.frame_id, meta.exposure_start_ns, copy);
}

py::tuple command(Engine& engine, int output, const std::string& action, double duration_ms, double period_ms,
                  int count, float value, float to) {
    const OutputCommand request{
        output, action_from(action), to_ns(duration_ms), to_ns(period_ms), count, value, to};
    EdgeResult edge;
    {
        py::gil_scoped_release unlocked;
        edge = engine.command(request);
    }
    return py::make_tuple(edge.changed || edge.valued, edge.refused, edge.failed, edge.stamp_ns);
}

std::shared_ptr<Preprocessor> preprocess_stage(const std::string& pixel_format, Size frame_size,
                                               Size output_size, Size image_size, const std::string& beyond,
                                               const std::string& origin, std::array<int, 4> roi,
                                               const std::string& colour, PerChannel scale, PerChannel offset,
                                               const std::string& element, const std::string& layout) {
    PreprocessSpec spec = preprocess_spec(pixel_format, frame_size, output_size, image_size, beyond, origin,
                                          roi, colour, scale, offset);
    spec.tensor = tensor_format_from(element, layout);
    return make_preprocessor(spec);
}

void bind_stages_for_engine(py::module_& m) {
    py::class_<Preprocessor, std::shared_ptr<Preprocessor>>(m, "PreprocessStage");
    m.def("preprocess_stage", &preprocess_stage, py::kw_only(), "pixel_format"_a, "frame_size"_a,
          "output_size"_a, "image_size"_a = Size{0, 0}, "beyond"_a = "mirror", "origin"_a = "centre", "roi"_a,
          "colour"_a, "scale"_a, "offset"_a, "element"_a = "f32", "layout"_a = "nchw");
    bind_estimators(m);
    bind_animals(m);
}

py::memoryview append_frame(FrameStore& store, int flags) {
    const auto pixels = store.append(flags);
    return py::memoryview::from_memory(pixels.data(), static_cast<py::ssize_t>(pixels.size()));
}

void bind_memory_camera(py::module_& m) {
    py::class_<FrameStore, std::shared_ptr<FrameStore>>(m, "FrameStore", "Frames held in memory.")
        .def(py::init([](const std::string& format, Size size) {
                 return std::make_shared<FrameStore>(pixel_format_from(format), size.first, size.second);
             }),
             py::kw_only(), "pixel_format"_a, "size"_a)
        .def("append", &append_frame, "flags"_a = 0, py::keep_alive<0, 1>())
        .def("__len__", &FrameStore::size);
    m.def(
        "make_memory_camera",
        [](const std::shared_ptr<FrameStore>& frames, double rate_hz, bool loop) {
            return std::shared_ptr<Camera>(make_memory_camera(frames, rate_hz, loop));
        },
        "frames"_a, py::kw_only(), "rate_hz"_a, "loop"_a = false);
}

void bind_cameras(py::module_& m) {
    py::class_<Camera, std::shared_ptr<Camera>>(m, "Camera", "A C++ camera driver.")
        .def_property_readonly("frame_size",
                               [](const Camera& c) { return std::pair(c.info().width, c.info().height); })
        .def_property_readonly("pixel_format",
                               [](const Camera& c) { return std::string(name_of(c.info().format)); })
        .def_property_readonly("rate_hz", [](const Camera& c) { return c.info().rate_hz; })
        .def_property_readonly("exposure_ns", [](const Camera& c) { return c.info().exposure_ns; })
        .def_property_readonly("stride_bytes", [](const Camera& c) { return c.info().stride_bytes; })
        .def_property_readonly("buffer_bytes", [](const Camera& c) { return c.info().buffer_bytes; })
        .def_property_readonly("depth", &Camera::depth)
        .def_property_readonly("statistics", &Camera::statistics);
    m.def(
        "make_sim_camera", [](const SimSpec& spec) { return std::shared_ptr<Camera>(make_sim_camera(spec)); },
        "spec"_a, py::call_guard<py::gil_scoped_release>());
    bind_memory_camera(m);
}

void bind_parts(py::module_& m) {
    py::class_<PipelineParts, std::shared_ptr<PipelineParts>>(m, "PipelineParts")
        .def(py::init(&make_parts), py::kw_only(), "estimator"_a, "identity"_a = py::none(),
             "filter"_a = py::none(), "rules"_a = std::vector<std::shared_ptr<Rule>>{},
             "protocol"_a = py::none(), "interlock"_a = py::none(), "individuals"_a = 1, "bodyparts"_a,
             "rule_ids"_a = std::vector<int>{});
    py::class_<Pipeline>(m, "Pipeline", "The stages without threads: one frame in, one pose out.")
        .def(py::init([](const std::shared_ptr<PipelineParts>& parts) {
                 return std::make_unique<Pipeline>(*parts, nullptr, nullptr);
             }),
             "parts"_a)
        .def("process", &process, "frame"_a, py::kw_only(), "pixel_format"_a, "exposure_start_ns"_a = 0);
    py::class_<LogSpec>(m, "LogSpec")
        .def(py::init([](std::string path, std::string header_json) {
                 return LogSpec{std::move(path), std::move(header_json)};
             }),
             "path"_a, "header_json"_a);
}

CameraPart make_camera(std::string name, std::shared_ptr<Ring> ring, std::shared_ptr<Camera> driver,
                       LogSpec log, std::shared_ptr<PipelineParts> pipeline, LogSpec pose_log, double rate_hz,
                       bool follower, bool reconnect) {
    return {std::move(name),     std::move(ring), std::move(driver), std::move(log), std::move(pipeline),
            std::move(pose_log), rate_hz,         follower,          reconnect};
}

MatchBy match_by_from(const std::string& name) {
    if (name == "counter") return MatchBy::counter;
    if (name == "time") return MatchBy::time;
    throw ConfigError("synchronise.by is '" + name + "'; allowed: counter, time");
}

SetPart make_set(std::vector<int> cameras, const std::string& by, double tolerance_ms, double wait_ms,
                 std::shared_ptr<Batch> batch, bool reads_all) {
    return {std::move(cameras),
            {match_by_from(by), to_ns(tolerance_ms), to_ns(wait_ms)},
            std::move(batch),
            reads_all};
}

void bind_camera_parts(py::module_& m) {
    py::class_<CameraPart>(m, "CameraPart")
        .def(py::init(&make_camera), py::kw_only(), "name"_a, "ring"_a, "driver"_a = py::none(),
             "log"_a = LogSpec{}, "pipeline"_a = py::none(), "pose_log"_a = LogSpec{}, "rate_hz"_a = 0.0,
             "follower"_a = false, "reconnect"_a = false);
    py::class_<SetPart>(m, "SetPart", "Cameras that go through one loop together.")
        .def(py::init(&make_set), py::kw_only(), "cameras"_a, "by"_a = "counter", "tolerance_ms"_a = 0.0,
             "wait_ms"_a = 3.0, "batch"_a = py::none(), "reads_all"_a = false);
}

RealtimeRequest make_realtime(bool fifo, bool lock_memory, std::vector<int> loop_cpus,
                              std::vector<int> other_cpus, std::int64_t spin_ns) {
    return {fifo, lock_memory, std::move(loop_cpus), std::move(other_cpus), spin_ns};
}

void bind_realtime(py::module_& m) {
    using Cpus = std::vector<int>;
    py::class_<RealtimeRequest>(m, "RealtimeRequest")
        .def(py::init(&make_realtime), py::kw_only(), "fifo"_a = true, "lock_memory"_a = true,
             "loop_cpus"_a = Cpus{}, "other_cpus"_a = Cpus{}, "spin_ns"_a = 0);
    m.def("realtime_limits", [] {
        const RealtimeLimits limits = realtime_limits();
        return py::dict("runtime_us"_a = limits.runtime_us, "period_us"_a = limits.period_us,
                        "budget"_a = limits.budget());
    });
}

std::unique_ptr<Engine> make_engine(std::vector<CameraPart> cameras, SetPart set, int acting_camera,
                                    std::shared_ptr<Interlock> interlock, LogSpec event_log, bool log,
                                    bool pose_feed, bool hold_frames, RealtimeRequest realtime) {
    return std::make_unique<Engine>(EngineParts{std::move(cameras), std::move(set), acting_camera,
                                                std::move(interlock), std::move(event_log), log, pose_feed,
                                                hold_frames, std::move(realtime)});
}

void bind_control(py::class_<Engine>& engine) {
    using release_gil = py::call_guard<py::gil_scoped_release>;
    engine.def("arm", &Engine::arm, release_gil());
    engine.def("start", &Engine::start, release_gil());
    engine.def(
        "wait", [](Engine& e, double timeout_ms) { return e.wait(to_ns(timeout_ms)); }, "timeout_ms"_a,
        release_gil(), "True when the sources ended or a fault was raised.");
    engine.def("end_sources", &Engine::end_sources, release_gil());
    engine.def("stop", &Engine::stop, release_gil());
    engine.def("rethrow", &Engine::rethrow);
    engine.def_property_readonly("faulted", &Engine::faulted);
    engine.def_property_readonly("protocol_finished", &Engine::protocol_finished);
    engine.def(
        "post_fault",
        [](Engine& e, const std::string& kind, const std::string& text) {
            e.post_fault(fault_kind_from(kind), text);
        },
        "kind"_a, "text"_a);
}

}  // namespace

void bind_engine(py::module_& m) {
    bind_stages_for_engine(m);
    bind_cameras(m);
    bind_parts(m);
    bind_camera_parts(m);
    bind_realtime(m);
    py::class_<Engine> engine(m, "Engine");
    engine.def(py::init(&make_engine), py::kw_only(), "cameras"_a, "set"_a = SetPart{}, "acting_camera"_a = 0,
               "interlock"_a = py::none(), "event_log"_a = LogSpec{}, "log"_a = true, "pose_feed"_a = false,
               "hold_frames"_a = false, "realtime"_a = RealtimeRequest{});
    bind_control(engine);
    engine.def("snapshot", &snapshot);
    engine.def("next_pose", &next_pose, "timeout_ms"_a, "camera"_a = 0,
               "(frame_id, exposure_start_ns, decided_ns, rules, flags, keypoints) or None.");
    engine.def("newest_frame", &newest_frame, "camera"_a = 0,
               "(frame_id, exposure_start_ns, bytes) of the last processed frame, or None: no newer one.");
    engine.def("command", &command, "output"_a, "action"_a, "duration_ms"_a = 0.0, "period_ms"_a = 0.0,
               "count"_a = 0, "value"_a = 0.0F, "to"_a = 0.0F, "(changed, refused, failed, stamp_ns)");
    engine.def_property_readonly("loop_grant", [](const Engine& e) {
        const Loop* loop = e.first_loop();
        const ThreadGrant grant = loop == nullptr ? ThreadGrant{} : loop->grant();
        return py::dict("realtime"_a = grant.realtime, "affinity"_a = grant.affinity,
                        "moved"_a = loop != nullptr && loop->is_moved(), "thread_id"_a = grant.id);
    });
    engine.def_property_readonly("memory_grant", [](const Engine& e) {
        const MemoryGrant& grant = e.memory_grant();
        return py::dict("present"_a = grant.present, "future"_a = grant.future,
                        "locked_bytes"_a = grant.locked_bytes);
    });
    engine.def_property_readonly("loop_timing", [](const Engine& e) {
        return as_dict(e.first_loop() == nullptr ? LoopTiming{} : e.first_loop()->timing());
    });
}
