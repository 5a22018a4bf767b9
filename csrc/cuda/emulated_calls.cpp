// Handles are addresses of objects that only the emulation knows; copies to and from memory that is neither
// on the "device" nor pinned are refused, as an asynchronous copy of it would be a mistake.
#include "cuda/emulated_calls.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <variant>

#include "base/clock.h"

namespace fastpose {
namespace {

constexpr int invalid_value = 1, out_of_memory = 2, invalid_device = 101, invalid_handle = 400,
              launch_failure = 719, capture_invalidated = 901;
constexpr std::size_t alignment = 256;

struct CopyWork {
    void* to;
    const void* from;
    std::size_t bytes;
};

struct KernelWork {
    KernelId kernel;
    KernelGrid grid;
    std::vector<std::uint8_t> arguments;
};

}  // namespace

struct EmulatedCuda::Event {
    std::int64_t stamp_ns = 0;
};

struct EmulatedCuda::Graph {
    std::vector<std::unique_ptr<Node>> nodes;
    std::map<CudaHandle, std::size_t> places;  // of an instance: by the handles of its graph's nodes
};

struct EmulatedCuda::Node {
    std::variant<CopyWork, KernelWork, std::shared_ptr<Graph>, Event*, Work> work;
};

struct EmulatedCuda::Stream {
    bool capturing = false;
    std::unique_ptr<Graph> captured;
};

namespace {

template <class Graph, class Node>
std::unique_ptr<Graph> clone_of(const Graph& graph) {
    auto clone = std::make_unique<Graph>();
    for (const auto& node : graph.nodes) {
        clone->places[node.get()] = clone->nodes.size();
        clone->nodes.push_back(std::make_unique<Node>(*node));
    }
    return clone;
}

}  // namespace

EmulatedCuda::EmulatedCuda(const HostKernels& kernels) : kernels_(kernels) {}

EmulatedCuda::~EmulatedCuda() {
    for (const auto& [memory, block] : blocks_)
        if (block.owned) std::free(const_cast<std::uint8_t*>(memory));
}

int EmulatedCuda::counted(const char* call) noexcept {
    ++counts_[call];
    const auto failure = failures_.find(call);
    if (failure == failures_.end() || --failure->second.first > 0) return 0;
    const int error = failure->second.second;
    failures_.erase(failure);
    return error;
}

void EmulatedCuda::fail(const char* call, int error, int times) { failures_[call] = {times, error}; }

int EmulatedCuda::count_of(const char* call) const {
    const auto found = counts_.find(call);
    return found == counts_.end() ? 0 : found->second;
}

int EmulatedCuda::alive() const noexcept {
    return static_cast<int>(blocks_.size() + graphs_.size() + execs_.size() + streams_.size() +
                            events_.size());
}

const char* EmulatedCuda::error_name(int error) const noexcept {
    switch (error) {
        case 0:
            return "cudaSuccess";
        case invalid_value:
            return "cudaErrorInvalidValue";
        case out_of_memory:
            return "cudaErrorMemoryAllocation";
        case invalid_device:
            return "cudaErrorInvalidDevice";
        case invalid_handle:
            return "cudaErrorInvalidResourceHandle";
        case launch_failure:
            return "cudaErrorLaunchFailure";
        case capture_invalidated:
            return "cudaErrorStreamCaptureInvalidated";
        default:
            return "cudaErrorUnknown";
    }
}

const char* EmulatedCuda::error_text(int) const noexcept { return "in the emulation"; }

int EmulatedCuda::runtime_version(int& version) noexcept {
    version = 13000;
    return 0;
}

int EmulatedCuda::driver_version(int& version) noexcept {
    version = driver;
    return 0;
}

int EmulatedCuda::device_count(int& count) noexcept {
    count = devices;
    return counted("device_count");
}

int EmulatedCuda::device(int index, CudaDevice& device) {
    if (index < 0 || index >= devices) return invalid_device;
    device = shown;
    return 0;
}

int EmulatedCuda::set_device(int index) noexcept {
    return index < 0 || index >= devices ? invalid_device : counted("set_device");
}

int EmulatedCuda::load(KernelId kernel) noexcept {
    return kernels_[static_cast<std::size_t>(kernel)] == nullptr ? invalid_value : counted("load");
}

int EmulatedCuda::take(void*& memory, std::size_t bytes, bool device) noexcept {
    memory = std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
    if (memory == nullptr) return out_of_memory;
    blocks_[static_cast<std::uint8_t*>(memory)] = {bytes, device, true};
    return 0;
}

int EmulatedCuda::release(void* memory, bool device, bool owned) noexcept {
    const auto found = blocks_.find(static_cast<std::uint8_t*>(memory));
    if (found == blocks_.end() || found->second.device != device || found->second.owned != owned)
        return invalid_value;
    blocks_.erase(found);
    if (owned) std::free(memory);
    return 0;
}

int EmulatedCuda::allocate(void*& memory, std::size_t bytes) noexcept {
    const int error = counted("allocate");
    return error != 0 ? error : take(memory, bytes, true);
}

int EmulatedCuda::free(void* memory) noexcept { return release(memory, true, true); }

int EmulatedCuda::allocate_pinned(void*& memory, std::size_t bytes) noexcept {
    const int error = counted("allocate_pinned");
    return error != 0 ? error : take(memory, bytes, false);
}

int EmulatedCuda::free_pinned(void* memory) noexcept { return release(memory, false, true); }

int EmulatedCuda::register_pinned(void* memory, std::size_t bytes) noexcept {
    const int error = counted("register_pinned");
    if (error != 0) return error;
    if (memory == nullptr || bytes == 0 || known(memory, 1)) return invalid_value;
    blocks_[static_cast<std::uint8_t*>(memory)] = {bytes, false, false};
    return 0;
}

int EmulatedCuda::unregister_pinned(void* memory) noexcept { return release(memory, false, false); }

bool EmulatedCuda::known(const void* memory, std::size_t bytes) const noexcept {
    const auto* begin = static_cast<const std::uint8_t*>(memory);
    auto block = blocks_.upper_bound(begin);
    if (block == blocks_.begin()) return false;
    --block;
    return begin + bytes <= block->first + block->second.bytes;
}

int EmulatedCuda::copy(void* to, const void* from, std::size_t bytes) noexcept {
    const int error = counted("copy");
    if (error == 0) std::memcpy(to, from, bytes);
    return error;
}

int EmulatedCuda::clear(void* memory, std::size_t bytes) noexcept {
    const int error = counted("clear");
    if (error == 0) std::memset(memory, 0, bytes);
    return error;
}

int EmulatedCuda::create_stream(CudaHandle& stream, bool) noexcept {
    const int error = counted("create_stream");
    if (error != 0) return error;
    auto made = std::make_unique<Stream>();
    stream = made.get();
    streams_[stream] = std::move(made);
    return 0;
}

int EmulatedCuda::destroy_stream(CudaHandle stream) noexcept {
    return streams_.erase(stream) == 1 ? 0 : invalid_handle;
}

int EmulatedCuda::synchronize(CudaHandle stream) noexcept {
    if (!streams_.contains(stream)) return invalid_handle;
    return counted("synchronize");
}

int EmulatedCuda::create_event(CudaHandle& event) noexcept {
    const int error = counted("create_event");
    if (error != 0) return error;
    auto made = std::make_unique<Event>();
    event = made.get();
    events_[event] = std::move(made);
    return 0;
}

int EmulatedCuda::destroy_event(CudaHandle event) noexcept {
    return events_.erase(event) == 1 ? 0 : invalid_handle;
}

int EmulatedCuda::elapsed_ms(float& ms, CudaHandle from, CudaHandle to) noexcept {
    const auto begin = events_.find(from), end = events_.find(to);
    if (begin == events_.end() || end == events_.end()) return invalid_handle;
    ms = static_cast<float>(end->second->stamp_ns - begin->second->stamp_ns) * 1e-6F;
    return 0;
}

void EmulatedCuda::enqueue(CudaHandle stream, Work work) {
    Stream& on = *streams_.at(stream);
    if (!on.capturing) {
        static_cast<void>(work());
        return;
    }
    on.captured->nodes.push_back(std::make_unique<Node>(Node{std::move(work)}));
}

int EmulatedCuda::begin_capture(CudaHandle stream) noexcept {
    const auto found = streams_.find(stream);
    if (found == streams_.end() || found->second->capturing) return invalid_value;
    found->second->capturing = true;
    found->second->captured = std::make_unique<Graph>();
    return counted("begin_capture");
}

int EmulatedCuda::end_capture(CudaHandle stream, CudaHandle& graph) noexcept {
    graph = nullptr;
    const auto found = streams_.find(stream);
    if (found == streams_.end() || !found->second->capturing) return invalid_value;
    found->second->capturing = false;
    auto captured = std::move(found->second->captured);
    const int error = counted("end_capture");
    if (error != 0) return error;
    if (captured->nodes.empty()) return 0;
    graph = captured.get();
    graphs_[graph] = std::move(captured);
    return 0;
}

int EmulatedCuda::create_graph(CudaHandle& graph) noexcept {
    const int error = counted("create_graph");
    if (error != 0) return error;
    auto made = std::make_unique<Graph>();
    graph = made.get();
    graphs_[graph] = std::move(made);
    return 0;
}

int EmulatedCuda::destroy_graph(CudaHandle graph) noexcept {
    return graphs_.erase(graph) == 1 ? 0 : invalid_handle;
}

int EmulatedCuda::add(CudaHandle& node, CudaHandle graph, std::span<const CudaHandle> after, Node made) {
    const auto found = graphs_.find(graph);
    if (found == graphs_.end()) return invalid_handle;
    Graph& in = *found->second;
    for (const CudaHandle before : after)
        if (std::ranges::none_of(in.nodes, [&](const auto& other) { return other.get() == before; }))
            return invalid_value;
    in.nodes.push_back(std::make_unique<Node>(std::move(made)));
    node = in.nodes.back().get();
    return 0;
}

int EmulatedCuda::add_copy(CudaHandle& node, CudaHandle graph, std::span<const CudaHandle> after, void* to,
                           const void* from, std::size_t bytes) noexcept {
    const int error = counted("add_copy");
    if (error != 0) return error;
    if (!known(to, bytes) || !known(from, bytes)) return invalid_value;
    return add(node, graph, after, {CopyWork{to, from, bytes}});
}

int EmulatedCuda::add_kernel(CudaHandle& node, CudaHandle graph, std::span<const CudaHandle> after,
                             const KernelCall& call) noexcept {
    const int error = counted("add_kernel");
    if (error != 0) return error;
    if (kernels_[static_cast<std::size_t>(call.kernel)] == nullptr) return invalid_value;
    const auto* bytes = static_cast<const std::uint8_t*>(call.arguments);
    return add(node, graph, after, {KernelWork{call.kernel, call.grid, {bytes, bytes + call.bytes}}});
}

int EmulatedCuda::add_child(CudaHandle& node, CudaHandle graph, std::span<const CudaHandle> after,
                            CudaHandle child) noexcept {
    const int error = counted("add_child");
    if (error != 0) return error;
    const auto found = graphs_.find(child);
    if (found == graphs_.end()) return invalid_handle;
    return add(node, graph, after, {std::shared_ptr<Graph>(clone_of<Graph, Node>(*found->second))});
}

int EmulatedCuda::add_event(CudaHandle& node, CudaHandle graph, std::span<const CudaHandle> after,
                            CudaHandle event) noexcept {
    const int error = counted("add_event");
    if (error != 0) return error;
    const auto found = events_.find(event);
    return found == events_.end() ? invalid_handle : add(node, graph, after, {found->second.get()});
}

int EmulatedCuda::instantiate(CudaHandle& exec, CudaHandle graph) noexcept {
    const int error = counted("instantiate");
    if (error != 0) return error;
    const auto found = graphs_.find(graph);
    if (found == graphs_.end()) return invalid_handle;
    auto made = clone_of<Graph, Node>(*found->second);
    exec = made.get();
    execs_[exec] = std::move(made);
    return 0;
}

int EmulatedCuda::destroy_exec(CudaHandle exec) noexcept {
    return execs_.erase(exec) == 1 ? 0 : invalid_handle;
}

int EmulatedCuda::update_copy(CudaHandle exec, CudaHandle node, void* to, const void* from,
                              std::size_t bytes) noexcept {
    const int error = counted("update_copy");
    if (error != 0) return error;
    const auto found = execs_.find(exec);
    if (found == execs_.end()) return invalid_handle;
    const auto place = found->second->places.find(node);
    if (place == found->second->places.end()) return invalid_value;
    auto* work = std::get_if<CopyWork>(&found->second->nodes[place->second]->work);
    if (work == nullptr || !known(to, bytes) || !known(from, bytes)) return invalid_value;
    *work = {to, from, bytes};
    return 0;
}

int EmulatedCuda::launch(CudaHandle exec, CudaHandle stream) noexcept {
    const int error = counted("launch");
    if (error != 0) return error;
    const auto found = execs_.find(exec);
    if (found == execs_.end() || !streams_.contains(stream)) return invalid_handle;
    return run(*found->second);
}

int EmulatedCuda::run(const Graph& graph) noexcept {
    for (const auto& node : graph.nodes) {
        const int error = run(*node);
        if (error != 0) return error;
    }
    return 0;
}

int EmulatedCuda::run(const Node& node) noexcept {
    if (const auto* work = std::get_if<CopyWork>(&node.work)) {
        std::memcpy(work->to, work->from, work->bytes);
        bytes_copied_ += work->bytes;
    } else if (const auto* kernel = std::get_if<KernelWork>(&node.work)) {
        kernels_[static_cast<std::size_t>(kernel->kernel)](kernel->arguments.data(), kernel->grid);
    } else if (const auto* child = std::get_if<std::shared_ptr<Graph>>(&node.work)) {
        return run(**child);
    } else if (const auto* event = std::get_if<Event*>(&node.work)) {
        (*event)->stamp_ns = now_ns();
    } else if (const auto* call = std::get_if<Work>(&node.work)) {
        return (*call)() ? 0 : launch_failure;
    }
    return 0;
}

}  // namespace fastpose
