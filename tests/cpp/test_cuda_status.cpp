// What is said of a machine that cannot run this, and how.
#include "cuda/status.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "cuda/emulated_calls.h"
#include "engine/kernels_host.h"

namespace fastpose {
namespace {

std::string refusal(EmulatedCuda& cuda, int device = 0) {
    try {
        require_cuda_device(cuda, device);
    } catch (const DeviceError& error) {
        return error.what();
    }
    return "";
}

#define EXPECT_SAYS(text, words) EXPECT_NE((text).find(words), std::string::npos) << (text)

TEST(CudaStatus, AUsableDeviceIsNotRefused) {
    EmulatedCuda cuda(host_kernels());
    EXPECT_EQ(refusal(cuda), "");
    const CudaStatus status = cuda_status(cuda);
    EXPECT_EQ(status.problem, "");
    EXPECT_EQ(status.driver, "13.0");
    ASSERT_EQ(status.devices.size(), 1U);
    EXPECT_EQ(status.devices[0].problem, "");
}

TEST(CudaStatus, NoDriver) {
    EmulatedCuda cuda(host_kernels());
    cuda.driver = 0;
    EXPECT_SAYS(refusal(cuda), "device cuda:0: there is no NVIDIA driver");
    EXPECT_SAYS(refusal(cuda), "580");
    EXPECT_EQ(cuda_status(cuda).driver, "");
}

TEST(CudaStatus, AnOldDriver) {
    EmulatedCuda cuda(host_kernels());
    cuda.driver = 12040;
    EXPECT_SAYS(refusal(cuda), "the driver runs CUDA up to 12.4");
    EXPECT_SAYS(refusal(cuda), "a build with CUDA 12");
}

TEST(CudaStatus, NoGpu) {
    EmulatedCuda cuda(host_kernels());
    cuda.devices = 0;
    EXPECT_SAYS(refusal(cuda), "shows no GPU");
    cuda.fail("device_count", 999);
    EXPECT_SAYS(refusal(cuda), "cudaErrorUnknown");
}

TEST(CudaStatus, ANumberThatIsNone) {
    EmulatedCuda cuda(host_kernels());
    cuda.devices = 2;
    EXPECT_SAYS(refusal(cuda, 2), "allowed: cuda:0 to cuda:1");
    EXPECT_SAYS(refusal(cuda, -1), "cuda:-1");
}

TEST(CudaStatus, AnArchitectureWithoutCode) {
    EmulatedCuda cuda(host_kernels());  // code for 9.0, and text for 12.0
    cuda.shown = {"GTX 1080", 6, 1, 0};
    EXPECT_SAYS(refusal(cuda), "GTX 1080 has compute capability 6.1; this build has code for 9.0, 12.0+ptx");
    EXPECT_SAYS(refusal(cuda), "CMAKE_CUDA_ARCHITECTURES=61");
    cuda.shown = {"B300", 10, 3, 0};
    EXPECT_NE(refusal(cuda), "");
    cuda.shown = {"to come", 13, 0, 0};
    EXPECT_EQ(refusal(cuda), "");
}

}  // namespace
}  // namespace fastpose
