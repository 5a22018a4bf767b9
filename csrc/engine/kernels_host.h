// The kernels' twins on the host, for the emulated GPU.
#pragma once
#include "cuda/emulated_calls.h"

namespace fastpose {

[[nodiscard]] HostKernels host_kernels() noexcept;

}  // namespace fastpose
