// The preprocess step as a node of a graph: what a kernel is told, and which one it is.
#pragma once
#include <cstddef>

#include "cuda/cuda_calls.h"
#include "cuda/device_tensor.h"
#include "cuda/memory.h"
#include "cuda/row_parameters.h"
#include "preprocess/preprocess.h"
#include "preprocess/preprocess_kernel.h"

namespace fastpose {

// Bytes of a frame that lie one behind the other: those of some of its rows.
struct FramePart {
    std::size_t first = 0, bytes = 0;
};

// Parts of the frame that a roi needs; `chroma` is empty but for nv12.
struct FrameParts {
    FramePart pixels, chroma;
};

// What crops share with it: the kernel of a spec's frames, grey levels of its counts, and what a kernel is
// told of a frame and of the tensor of this spec but addresses, gains and samples. Throws ConfigError where
// the tensor has another size than the spec's output.
[[nodiscard]] KernelId preprocess_kernel_for(const PreprocessSpec& spec) noexcept;
[[nodiscard]] float unit_of(const PreprocessSpec& spec) noexcept;
[[nodiscard]] PreprocessArguments source_arguments(const PreprocessSpec& spec, const DeviceTensor& tensor);

// One row of a batch: a frame of one kind to one image of the tensor. Its roi moves by RowParameters alone.
// Thread-bound; set-up throws ConfigError and DeviceError, the rest neither throws nor allocates.
class CudaPreprocess {
  public:
    // spec.tensor is ignored: the elements are the tensor's.
    CudaPreprocess(CudaCalls& calls, const PreprocessSpec& spec, const DeviceTensor& tensor);

    // image: of this row, within the tensor on the device; parameters: of this row.
    [[nodiscard]] PreprocessArguments arguments(const std::uint8_t* frame, const RowParameters* parameters,
                                                void* image) const noexcept;
    [[nodiscard]] KernelId kernel() const noexcept { return kernel_; }
    [[nodiscard]] KernelGrid grid() const noexcept;

    void move_roi(int x, int y) noexcept;
    [[nodiscard]] Roi roi() const noexcept { return spec_.roi; }
    [[nodiscard]] RowParameters parameters(std::ptrdiff_t stride_bytes) const noexcept;
    [[nodiscard]] FrameParts needed(std::ptrdiff_t stride_bytes) const noexcept;
    [[nodiscard]] const PreprocessSpec& spec() const noexcept { return spec_; }

  private:
    PreprocessSpec spec_;
    DeviceTensor tensor_;
    KernelId kernel_;
    PreprocessArguments fixed_;  // without addresses
    DeviceMemory columns_, rows_;
};

// The twins of the preprocess kernels, by their numbers; see EmulatedCuda.
void preprocess_on_host(KernelId kernel, const PreprocessArguments& arguments) noexcept;

}  // namespace fastpose
