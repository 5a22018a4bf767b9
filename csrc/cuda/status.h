// What there is to run on: driver, devices, and why one of them cannot be used.
#pragma once
#include <string>
#include <vector>

#include "cuda/cuda_calls.h"

namespace fastpose {

struct CudaDeviceStatus {
    int index = 0;
    CudaDevice device;
    std::string problem;  // why it cannot be used; empty: it can
};

struct CudaStatus {
    std::vector<std::string> built_for;
    std::string runtime;  // "13.0"
    std::string driver;   // empty: there is none
    std::vector<CudaDeviceStatus> devices;
    std::string problem;  // why no device can be used, and the way out; empty: one can
};

// Never throws for what the machine lacks.
[[nodiscard]] CudaStatus cuda_status(CudaCalls& calls);
// Throws DeviceError unless this build can use the device; names versions and the way out.
void require_cuda_device(CudaCalls& calls, int index);

}  // namespace fastpose
