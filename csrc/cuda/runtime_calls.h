// The CUDA runtime itself behind the table; only where this is built with CUDA.
#pragma once
#include <array>
#include <memory>
#include <string>
#include <vector>

#include "cuda/cuda_calls.h"

namespace fastpose {

// Addresses of the kernels' stubs on the host, by their numbers.
using DeviceKernels = std::array<const void*, kKernels>;

// architectures: what nvcc compiled for: "9.0", "12.0+ptx".
[[nodiscard]] std::unique_ptr<CudaCalls> make_runtime_calls(const DeviceKernels& kernels,
                                                            std::vector<std::string> architectures);

}  // namespace fastpose
