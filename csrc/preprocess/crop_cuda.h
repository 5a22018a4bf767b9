// The crops of animals as one node of a graph: where they lie is read from device memory.
#pragma once
#include <span>

#include "cuda/cuda_calls.h"
#include "cuda/device_tensor.h"
#include "preprocess/crop.h"
#include "preprocess/crop_kernel.h"

namespace fastpose {

// Thread-bound; set-up throws ConfigError, the rest neither throws nor allocates.
class CudaCropper {
  public:
    // spec.frame.tensor is ignored: tensor is the network's input, as many rows as crops.
    CudaCropper(const CropSpec& spec, const DeviceTensor& tensor);

    // Device memory: the frame, and what a run reads of each crop; tensor: the whole input.
    [[nodiscard]] CropArguments arguments(const std::uint8_t* frame, const RowParameters* parameters,
                                          const CropRectangle* rectangles, void* tensor) const noexcept;
    [[nodiscard]] KernelId kernel() const noexcept { return kernel_; }
    [[nodiscard]] KernelGrid grid() const noexcept;
    // What a crop of this box needs there.
    void place(const Box& box, std::ptrdiff_t stride_bytes, RowParameters& parameters,
               CropRectangle& rectangle) const noexcept;

  private:
    CropSpec spec_;
    KernelId kernel_;
    CropArguments fixed_;  // without addresses
};

// The twins of the crop kernels, by their numbers; see EmulatedCuda.
void crop_on_host(KernelId kernel, const CropArguments& arguments) noexcept;

}  // namespace fastpose
