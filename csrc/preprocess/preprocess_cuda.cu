// The preprocess kernels: a thread for each pixel of the network's input.
#include "cuda/kernels.h"
#include "preprocess/preprocess_kernel.h"

namespace fastpose {
namespace {

template <class Source>
__global__ void preprocess(const PreprocessArguments spec) {
    const int x = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
    const int y = static_cast<int>(blockIdx.y * blockDim.y + threadIdx.y);
    if (x < spec.output_width && y < spec.output_height) preprocess_pixel<Source>(spec, x, y);
}

}  // namespace
}  // namespace fastpose

// The kernel's address for the runtime's calls; null for other kernels.
extern "C" const void* fastpose_preprocess_kernel(int kernel) {
    using namespace fastpose;
    switch (static_cast<KernelId>(kernel)) {
        case KernelId::preprocess_mono8:
            return reinterpret_cast<const void*>(&preprocess<Mono8Source>);
        case KernelId::preprocess_wide:
            return reinterpret_cast<const void*>(&preprocess<WideSource>);
        case KernelId::preprocess_colour:
            return reinterpret_cast<const void*>(&preprocess<ColourSource>);
        case KernelId::preprocess_bayer:
            return reinterpret_cast<const void*>(&preprocess<BayerSource>);
        case KernelId::preprocess_yuv:
            return reinterpret_cast<const void*>(&preprocess<YuvSource>);
        case KernelId::preprocess_luma:
            return reinterpret_cast<const void*>(&preprocess<LumaSource>);
        default:
            return nullptr;
    }
}
