// The calls of the CUDA runtime that fastpose needs, as a table: the real one, or a device made for a test.
//
// Only calls whose signatures are the same in CUDA 12 and 13 stand behind it.
#pragma once
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "cuda/kernels.h"

namespace fastpose {

// cudaStream_t, cudaEvent_t, cudaGraph_t, cudaGraphNode_t, cudaGraphExec_t: plain pointers.
using CudaHandle = void*;

struct CudaDevice {
    std::string name;
    int major = 0, minor = 0;  // compute capability
    std::size_t memory_bytes = 0;
};

// Results are cudaError_t as numbers: 0 is success. Thread-safe as the runtime is.
class CudaCalls {
  public:
    virtual ~CudaCalls() = default;
    // "cudaErrorInvalidValue", and in words.
    [[nodiscard]] virtual const char* error_name(int error) const noexcept = 0;
    [[nodiscard]] virtual const char* error_text(int error) const noexcept = 0;
    // Forgets the last error of this thread.
    virtual void clear_error() noexcept = 0;

    // Versions as 1000 * major + 10 * minor; driver 0: there is none.
    [[nodiscard]] virtual int runtime_version(int& version) noexcept = 0;
    [[nodiscard]] virtual int driver_version(int& version) noexcept = 0;
    // Compute capabilities that there is code for: "9.0", and "12.0+ptx" where the driver can compile it.
    [[nodiscard]] virtual std::vector<std::string> built_for() const = 0;
    [[nodiscard]] virtual int device_count(int& count) noexcept = 0;
    [[nodiscard]] virtual int device(int index, CudaDevice& device) = 0;
    // For this thread.
    [[nodiscard]] virtual int set_device(int index) noexcept = 0;
    // An error where the current device has no code of a kernel.
    [[nodiscard]] virtual int load(KernelId kernel) noexcept = 0;

    [[nodiscard]] virtual int allocate(void*& memory, std::size_t bytes) noexcept = 0;
    [[nodiscard]] virtual int free(void* memory) noexcept = 0;
    [[nodiscard]] virtual int allocate_pinned(void*& memory, std::size_t bytes) noexcept = 0;
    [[nodiscard]] virtual int free_pinned(void* memory) noexcept = 0;
    [[nodiscard]] virtual int register_pinned(void* memory, std::size_t bytes) noexcept = 0;
    [[nodiscard]] virtual int unregister_pinned(void* memory) noexcept = 0;
    // In any direction; blocks.
    [[nodiscard]] virtual int copy(void* to, const void* from, std::size_t bytes) noexcept = 0;
    [[nodiscard]] virtual int clear(void* memory, std::size_t bytes) noexcept = 0;

    // It does not wait for the default stream.
    [[nodiscard]] virtual int create_stream(CudaHandle& stream, bool high_priority) noexcept = 0;
    [[nodiscard]] virtual int destroy_stream(CudaHandle stream) noexcept = 0;
    // Until all work on it is done.
    [[nodiscard]] virtual int synchronize(CudaHandle stream) noexcept = 0;
    [[nodiscard]] virtual int create_event(CudaHandle& event) noexcept = 0;
    [[nodiscard]] virtual int destroy_event(CudaHandle event) noexcept = 0;
    [[nodiscard]] virtual int elapsed_ms(float& ms, CudaHandle from, CudaHandle to) noexcept = 0;

    // Of this thread's work alone; the same thread ends it. `graph` may be null after a failure.
    [[nodiscard]] virtual int begin_capture(CudaHandle stream) noexcept = 0;
    [[nodiscard]] virtual int end_capture(CudaHandle stream, CudaHandle& graph) noexcept = 0;

    [[nodiscard]] virtual int create_graph(CudaHandle& graph) noexcept = 0;
    [[nodiscard]] virtual int destroy_graph(CudaHandle graph) noexcept = 0;
    [[nodiscard]] virtual int add_copy(CudaHandle& node, CudaHandle graph, std::span<const CudaHandle> after,
                                       void* to, const void* from, std::size_t bytes) noexcept = 0;
    [[nodiscard]] virtual int add_kernel(CudaHandle& node, CudaHandle graph,
                                         std::span<const CudaHandle> after,
                                         const KernelCall& call) noexcept = 0;
    // The child is cloned.
    [[nodiscard]] virtual int add_child(CudaHandle& node, CudaHandle graph, std::span<const CudaHandle> after,
                                        CudaHandle child) noexcept = 0;
    [[nodiscard]] virtual int add_event(CudaHandle& node, CudaHandle graph, std::span<const CudaHandle> after,
                                        CudaHandle event) noexcept = 0;
    [[nodiscard]] virtual int instantiate(CudaHandle& exec, CudaHandle graph) noexcept = 0;
    [[nodiscard]] virtual int destroy_exec(CudaHandle exec) noexcept = 0;
    // Of a copy node, from the next launch on; neither instantiates nor waits.
    [[nodiscard]] virtual int update_copy(CudaHandle exec, CudaHandle node, void* to, const void* from,
                                          std::size_t bytes) noexcept = 0;
    [[nodiscard]] virtual int launch(CudaHandle exec, CudaHandle stream) noexcept = 0;
};

}  // namespace fastpose
