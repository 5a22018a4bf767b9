// A network's tensors on the device and its work on a stream of ours, whichever runtime made it.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "cuda/graph.h"
#include "cuda/memory.h"
#include "cuda/stream.h"
#include "decode/decode_cuda.h"

namespace fastpose {

// Set-up alone, on one thread; throws DeviceError and ConfigError. The network is captured from `stream`, or
// comes as a graph, or is called between two launches.
class DeviceNetwork {
  public:
    DeviceNetwork(CudaCalls& calls, DeviceTensor input, std::vector<DeviceTensor> outputs,
                  bool high_priority);
    ~DeviceNetwork();
    DeviceNetwork(const DeviceNetwork&) = delete;
    DeviceNetwork& operator=(const DeviceNetwork&) = delete;

    [[nodiscard]] CudaStream& stream() noexcept { return stream_; }
    [[nodiscard]] const DeviceTensor& input_tensor() const noexcept { return input_tensor_; }
    [[nodiscard]] std::uint8_t* input() const noexcept { return input_.data(); }
    [[nodiscard]] std::span<const DeviceOutput> outputs() const noexcept { return outputs_; }

    void begin_capture();
    // False: nothing usable came of it, capture_error() says why; the stream can be used again.
    [[nodiscard]] bool end_capture(bool good);
    [[nodiscard]] const std::string& capture_error() const noexcept { return capture_error_; }
    // Somebody else's graph, which must live until it was added to ours.
    void adopt(CudaHandle graph);
    // It enqueues the network on the stream; false: it failed.
    using Call = std::function<bool()>;
    void call_each_frame(Call call);
    // Lives as long as this does.
    void keep(std::shared_ptr<void> owner) { owners_.push_back(std::move(owner)); }

    // Blocks until it is done; for looks from outside of the loop.
    void read(std::span<std::uint8_t> to, const void* from);
    void write(void* to, std::span<const std::uint8_t> from);

    // Null: there is a graph, see add_to().
    [[nodiscard]] const Call& call() const noexcept { return call_; }
    // Throws ConfigError unless there is a graph or a call.
    void require_made() const;
    [[nodiscard]] GraphNode add_to(CudaGraph& graph, std::span<const GraphNode> after) const;

  private:
    void drop_captured() noexcept;

    std::vector<std::shared_ptr<void>> owners_;  // first: they go last
    CudaCalls* calls_;
    DeviceTensor input_tensor_;
    CudaStream stream_;
    DeviceMemory input_;
    std::vector<DeviceMemory> memory_;
    std::vector<DeviceOutput> outputs_;
    CudaHandle captured_ = nullptr;  // ours
    CudaHandle adopted_ = nullptr;
    Call call_;
    std::string capture_error_;
};

}  // namespace fastpose
