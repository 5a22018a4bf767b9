// The CUDA runtime with our kernels; only where this is built with CUDA.
#pragma once
#include "cuda/cuda_calls.h"

namespace fastpose {

[[nodiscard]] CudaCalls& system_cuda_calls();

}  // namespace fastpose
