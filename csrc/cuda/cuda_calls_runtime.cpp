// One call of the runtime each.
#include <cuda_runtime_api.h>

#include <utility>

#include "cuda/runtime_calls.h"

namespace fastpose {
namespace {

cudaStream_t stream_of(CudaHandle handle) noexcept { return static_cast<cudaStream_t>(handle); }
cudaEvent_t event_of(CudaHandle handle) noexcept { return static_cast<cudaEvent_t>(handle); }
cudaGraph_t graph_of(CudaHandle handle) noexcept { return static_cast<cudaGraph_t>(handle); }
cudaGraphExec_t exec_of(CudaHandle handle) noexcept { return static_cast<cudaGraphExec_t>(handle); }

// Handles are pointers to types that are not defined: an array of the one is an array of the other.
const cudaGraphNode_t* nodes_of(std::span<const CudaHandle> handles) noexcept {
    return handles.empty() ? nullptr : reinterpret_cast<const cudaGraphNode_t*>(handles.data());
}

class RuntimeCalls final : public CudaCalls {
  public:
    RuntimeCalls(const DeviceKernels& kernels, std::vector<std::string> architectures)
        : kernels_(kernels), architectures_(std::move(architectures)) {}

    const char* error_name(int error) const noexcept override {
        return cudaGetErrorName(static_cast<cudaError_t>(error));
    }
    const char* error_text(int error) const noexcept override {
        return cudaGetErrorString(static_cast<cudaError_t>(error));
    }
    void clear_error() noexcept override { static_cast<void>(cudaGetLastError()); }

    int runtime_version(int& version) noexcept override { return cudaRuntimeGetVersion(&version); }
    int driver_version(int& version) noexcept override { return cudaDriverGetVersion(&version); }
    std::vector<std::string> built_for() const override { return architectures_; }
    int device_count(int& count) noexcept override {
        count = 0;  // untouched by a failure
        return cudaGetDeviceCount(&count);
    }
    int device(int index, CudaDevice& device) override {
        cudaDeviceProp properties{};
        const int error = cudaGetDeviceProperties(&properties, index);
        if (error == 0)
            device = {properties.name, properties.major, properties.minor, properties.totalGlobalMem};
        return error;
    }
    int set_device(int index) noexcept override { return cudaSetDevice(index); }
    int load(KernelId kernel) noexcept override {
        cudaFuncAttributes attributes{};
        return cudaFuncGetAttributes(&attributes, address(kernel));
    }

    int allocate(void*& memory, std::size_t bytes) noexcept override { return cudaMalloc(&memory, bytes); }
    int free(void* memory) noexcept override { return cudaFree(memory); }
    int allocate_pinned(void*& memory, std::size_t bytes) noexcept override {
        return cudaHostAlloc(&memory, bytes, cudaHostAllocPortable);
    }
    int free_pinned(void* memory) noexcept override { return cudaFreeHost(memory); }
    int register_pinned(void* memory, std::size_t bytes) noexcept override {
        return cudaHostRegister(memory, bytes, cudaHostRegisterPortable);
    }
    int unregister_pinned(void* memory) noexcept override { return cudaHostUnregister(memory); }
    int copy(void* to, const void* from, std::size_t bytes) noexcept override {
        return cudaMemcpy(to, from, bytes, cudaMemcpyDefault);
    }
    int clear(void* memory, std::size_t bytes) noexcept override { return cudaMemset(memory, 0, bytes); }

    int create_stream(CudaHandle& stream, bool high_priority) noexcept override {
        int least = 0, greatest = 0;
        int error = cudaDeviceGetStreamPriorityRange(&least, &greatest);
        if (error != 0) return error;
        cudaStream_t made = nullptr;
        error = cudaStreamCreateWithPriority(&made, cudaStreamNonBlocking, high_priority ? greatest : least);
        stream = made;
        return error;
    }
    int destroy_stream(CudaHandle stream) noexcept override { return cudaStreamDestroy(stream_of(stream)); }
    int synchronize(CudaHandle stream) noexcept override { return cudaStreamSynchronize(stream_of(stream)); }
    int create_event(CudaHandle& event) noexcept override {
        cudaEvent_t made = nullptr;
        const int error = cudaEventCreateWithFlags(&made, cudaEventDefault);
        event = made;
        return error;
    }
    int destroy_event(CudaHandle event) noexcept override { return cudaEventDestroy(event_of(event)); }
    int elapsed_ms(float& ms, CudaHandle from, CudaHandle to) noexcept override {
        return cudaEventElapsedTime(&ms, event_of(from), event_of(to));
    }

    int begin_capture(CudaHandle stream) noexcept override {
        return cudaStreamBeginCapture(stream_of(stream), cudaStreamCaptureModeThreadLocal);
    }
    int end_capture(CudaHandle stream, CudaHandle& graph) noexcept override {
        cudaGraph_t captured = nullptr;
        const int error = cudaStreamEndCapture(stream_of(stream), &captured);
        graph = captured;
        return error;
    }

    int create_graph(CudaHandle& graph) noexcept override {
        cudaGraph_t made = nullptr;
        const int error = cudaGraphCreate(&made, 0);
        graph = made;
        return error;
    }
    int destroy_graph(CudaHandle graph) noexcept override { return cudaGraphDestroy(graph_of(graph)); }
    int add_copy(CudaHandle& node, CudaHandle graph, std::span<const CudaHandle> after, void* to,
                 const void* from, std::size_t bytes) noexcept override {
        cudaGraphNode_t made = nullptr;
        const int error = cudaGraphAddMemcpyNode1D(&made, graph_of(graph), nodes_of(after), after.size(), to,
                                                   from, bytes, cudaMemcpyDefault);
        node = made;
        return error;
    }
    int add_kernel(CudaHandle& node, CudaHandle graph, std::span<const CudaHandle> after,
                   const KernelCall& call) noexcept override {
        void* arguments[] = {const_cast<void*>(call.arguments)};
        const KernelGrid& grid = call.grid;
        cudaKernelNodeParams parameters{};
        parameters.func = const_cast<void*>(address(call.kernel));
        parameters.gridDim = {grid.blocks_x, grid.blocks_y, grid.blocks_z};
        parameters.blockDim = {grid.threads_x, grid.threads_y, 1};
        parameters.kernelParams = arguments;
        cudaGraphNode_t made = nullptr;
        const int error =
            cudaGraphAddKernelNode(&made, graph_of(graph), nodes_of(after), after.size(), &parameters);
        node = made;
        return error;
    }
    int add_child(CudaHandle& node, CudaHandle graph, std::span<const CudaHandle> after,
                  CudaHandle child) noexcept override {
        cudaGraphNode_t made = nullptr;
        const int error = cudaGraphAddChildGraphNode(&made, graph_of(graph), nodes_of(after), after.size(),
                                                     graph_of(child));
        node = made;
        return error;
    }
    int add_event(CudaHandle& node, CudaHandle graph, std::span<const CudaHandle> after,
                  CudaHandle event) noexcept override {
        cudaGraphNode_t made = nullptr;
        const int error = cudaGraphAddEventRecordNode(&made, graph_of(graph), nodes_of(after), after.size(),
                                                      event_of(event));
        node = made;
        return error;
    }
    int instantiate(CudaHandle& exec, CudaHandle graph) noexcept override {
        cudaGraphExec_t made = nullptr;
        const int error = cudaGraphInstantiate(&made, graph_of(graph), 0);
        exec = made;
        return error;
    }
    int destroy_exec(CudaHandle exec) noexcept override { return cudaGraphExecDestroy(exec_of(exec)); }
    int update_copy(CudaHandle exec, CudaHandle node, void* to, const void* from,
                    std::size_t bytes) noexcept override {
        return cudaGraphExecMemcpyNodeSetParams1D(exec_of(exec), static_cast<cudaGraphNode_t>(node), to, from,
                                                  bytes, cudaMemcpyDefault);
    }
    int launch(CudaHandle exec, CudaHandle stream) noexcept override {
        return cudaGraphLaunch(exec_of(exec), stream_of(stream));
    }

  private:
    [[nodiscard]] const void* address(KernelId kernel) const noexcept {
        return kernels_[static_cast<std::size_t>(kernel)];
    }

    DeviceKernels kernels_;
    std::vector<std::string> architectures_;
};

}  // namespace

std::unique_ptr<CudaCalls> make_runtime_calls(const DeviceKernels& kernels,
                                              std::vector<std::string> architectures) {
    return std::make_unique<RuntimeCalls>(kernels, std::move(architectures));
}

}  // namespace fastpose
