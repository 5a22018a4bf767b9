// Lists of peaks and affinities as nodes of a graph: which kernels make them, and where they lie.
#pragma once
#include <span>
#include <variant>
#include <vector>

#include "cuda/graph.h"
#include "cuda/memory.h"
#include "decode/decode_cuda.h"
#include "decode/paf_lists_kernel.h"

namespace fastpose {

// From the first outputs of a network to what make_paf_lists_decoder() or make_paf_tree_lists_decoder() read,
// for each row of the batch. Set-up throws ConfigError and DeviceError.
class CudaLists {
  public:
    CudaLists(CudaCalls& calls, const PafListsSpec& spec, std::span<const DeviceOutput> outputs, int rows);

    // Outputs that they are made of.
    [[nodiscard]] std::size_t inputs() const noexcept { return inputs_; }
    // f32: peaks (N, K, most, 4), affinities (N, L, most, most).
    [[nodiscard]] std::span<const DeviceOutput> lists() const noexcept { return lists_; }
    // The node that what follows waits for.
    [[nodiscard]] GraphNode add_to(CudaGraph& graph, std::span<const GraphNode> after) const;

  private:
    struct Kernel {
        KernelId id = KernelId::count;
        KernelGrid grid;
        std::variant<PafListArguments, PafTreeListArguments> arguments;
    };
    void plan(CudaCalls& calls, const PafDecoderSpec& spec, std::span<const DeviceOutput> outputs, int rows);
    void plan(CudaCalls& calls, const PafTreeSpec& spec, std::span<const DeviceOutput> outputs, int rows);
    [[nodiscard]] ListsView plan_lists(CudaCalls& calls, int rows, int bodyparts, int most,
                                       std::span<const std::array<int, 2>> limbs);
    [[nodiscard]] std::uint8_t* memory(CudaCalls& calls, std::size_t bytes);

    std::size_t inputs_ = 0;
    std::vector<DeviceMemory> memory_;
    std::vector<DeviceOutput> lists_;
    std::vector<Kernel> kernels_;  // in their order
};

// The twins of the kernels; see EmulatedCuda.
void paf_smooth_x_on_host(const PafListArguments& spec) noexcept;
void paf_smooth_y_on_host(const PafListArguments& spec) noexcept;
void paf_peaks_on_host(const PafListArguments& spec) noexcept;
void paf_limbs_on_host(const PafListArguments& spec) noexcept;
void paf_tree_peaks_on_host(const PafTreeListArguments& spec) noexcept;
void paf_tree_limbs_on_host(const PafTreeListArguments& spec) noexcept;

}  // namespace fastpose
