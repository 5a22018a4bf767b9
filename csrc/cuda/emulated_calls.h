// A GPU made of the CPU: memory of the process, graphs that run when they are launched, kernels as their
// twins on the host. For tests of everything but the GPU itself; it refuses what a driver would refuse.
#pragma once
#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "cuda/cuda_calls.h"

namespace fastpose {

using HostKernel = void (*)(const void* arguments, const KernelGrid& grid) noexcept;
using HostKernels = std::array<HostKernel, kKernels>;

// Thread-bound.
class EmulatedCuda final : public CudaCalls {
  public:
    explicit EmulatedCuda(const HostKernels& kernels);
    ~EmulatedCuda() override;

    // Work on a stream: done at once, or taken up by a capture.
    using Work = std::function<bool()>;
    void enqueue(CudaHandle stream, Work work);
    // The `times`th next call of this name gives `error`.
    void fail(const char* call, int error, int times = 1);
    // How often a call was made; of "launch", "update_copy", "instantiate" and so on.
    [[nodiscard]] int count_of(const char* call) const;
    // Memory, streams, events, graphs and instances that nobody has released.
    [[nodiscard]] int alive() const noexcept;
    [[nodiscard]] std::size_t bytes_copied() const noexcept { return bytes_copied_; }

    int driver = 13000, devices = 1;
    CudaDevice shown{"emulated", 9, 0, std::size_t{1} << 33};

    [[nodiscard]] const char* error_name(int error) const noexcept override;
    [[nodiscard]] const char* error_text(int error) const noexcept override;
    void clear_error() noexcept override {}
    [[nodiscard]] int runtime_version(int& version) noexcept override;
    [[nodiscard]] int driver_version(int& version) noexcept override;
    [[nodiscard]] std::vector<std::string> built_for() const override { return {"9.0", "12.0+ptx"}; }
    [[nodiscard]] int device_count(int& count) noexcept override;
    [[nodiscard]] int device(int index, CudaDevice& device) override;
    [[nodiscard]] int set_device(int index) noexcept override;
    [[nodiscard]] int load(KernelId kernel) noexcept override;
    [[nodiscard]] int allocate(void*& memory, std::size_t bytes) noexcept override;
    [[nodiscard]] int free(void* memory) noexcept override;
    [[nodiscard]] int allocate_pinned(void*& memory, std::size_t bytes) noexcept override;
    [[nodiscard]] int free_pinned(void* memory) noexcept override;
    [[nodiscard]] int register_pinned(void* memory, std::size_t bytes) noexcept override;
    [[nodiscard]] int unregister_pinned(void* memory) noexcept override;
    [[nodiscard]] int copy(void* to, const void* from, std::size_t bytes) noexcept override;
    [[nodiscard]] int clear(void* memory, std::size_t bytes) noexcept override;
    [[nodiscard]] int create_stream(CudaHandle& stream, bool high_priority) noexcept override;
    [[nodiscard]] int destroy_stream(CudaHandle stream) noexcept override;
    [[nodiscard]] int synchronize(CudaHandle stream) noexcept override;
    [[nodiscard]] int create_event(CudaHandle& event) noexcept override;
    [[nodiscard]] int destroy_event(CudaHandle event) noexcept override;
    [[nodiscard]] int elapsed_ms(float& ms, CudaHandle from, CudaHandle to) noexcept override;
    [[nodiscard]] int begin_capture(CudaHandle stream) noexcept override;
    [[nodiscard]] int end_capture(CudaHandle stream, CudaHandle& graph) noexcept override;
    [[nodiscard]] int create_graph(CudaHandle& graph) noexcept override;
    [[nodiscard]] int destroy_graph(CudaHandle graph) noexcept override;
    [[nodiscard]] int add_copy(CudaHandle& node, CudaHandle graph, std::span<const CudaHandle> after,
                               void* to, const void* from, std::size_t bytes) noexcept override;
    [[nodiscard]] int add_kernel(CudaHandle& node, CudaHandle graph, std::span<const CudaHandle> after,
                                 const KernelCall& call) noexcept override;
    [[nodiscard]] int add_child(CudaHandle& node, CudaHandle graph, std::span<const CudaHandle> after,
                                CudaHandle child) noexcept override;
    [[nodiscard]] int add_event(CudaHandle& node, CudaHandle graph, std::span<const CudaHandle> after,
                                CudaHandle event) noexcept override;
    [[nodiscard]] int instantiate(CudaHandle& exec, CudaHandle graph) noexcept override;
    [[nodiscard]] int destroy_exec(CudaHandle exec) noexcept override;
    [[nodiscard]] int update_copy(CudaHandle exec, CudaHandle node, void* to, const void* from,
                                  std::size_t bytes) noexcept override;
    [[nodiscard]] int launch(CudaHandle exec, CudaHandle stream) noexcept override;

  private:
    struct Node;
    struct Graph;
    struct Stream;
    struct Event;
    struct Block {
        std::size_t bytes = 0;
        bool device = false, owned = true;
    };

    [[nodiscard]] int counted(const char* call) noexcept;
    [[nodiscard]] int take(void*& memory, std::size_t bytes, bool device) noexcept;
    [[nodiscard]] int release(void* memory, bool device, bool owned) noexcept;
    [[nodiscard]] bool known(const void* memory, std::size_t bytes) const noexcept;
    [[nodiscard]] int add(CudaHandle& node, CudaHandle graph, std::span<const CudaHandle> after, Node made);
    [[nodiscard]] int run(const Graph& graph) noexcept;
    [[nodiscard]] int run(const Node& node) noexcept;

    HostKernels kernels_;
    std::map<const std::uint8_t*, Block> blocks_;
    std::map<CudaHandle, std::unique_ptr<Graph>> graphs_, execs_;
    std::map<CudaHandle, std::unique_ptr<Stream>> streams_;
    std::map<CudaHandle, std::unique_ptr<Event>> events_;
    std::map<std::string, int> counts_;
    std::map<std::string, std::pair<int, int>> failures_;  // calls until then, error
    std::size_t bytes_copied_ = 0;
};

}  // namespace fastpose
