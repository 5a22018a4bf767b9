// The crop kernels: a thread for each pixel of each animal's crop.
#include "cuda/kernels.h"
#include "preprocess/crop_kernel.h"

namespace fastpose {
namespace {

template <class Source>
__global__ void crop(const CropArguments spec) {
    const int x = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
    const int y = static_cast<int>(blockIdx.y * blockDim.y + threadIdx.y);
    if (x < spec.source.output_width && y < spec.source.output_height)
        crop_pixel<Source>(spec, static_cast<int>(blockIdx.z), x, y);
}

}  // namespace
}  // namespace fastpose

// The kernel's address for the runtime's calls; null for other kernels.
extern "C" const void* fastpose_crop_kernel(int kernel) {
    using namespace fastpose;
    switch (static_cast<KernelId>(kernel)) {
        case KernelId::crop_mono8:
            return reinterpret_cast<const void*>(&crop<Mono8Source>);
        case KernelId::crop_wide:
            return reinterpret_cast<const void*>(&crop<WideSource>);
        case KernelId::crop_colour:
            return reinterpret_cast<const void*>(&crop<ColourSource>);
        case KernelId::crop_bayer:
            return reinterpret_cast<const void*>(&crop<BayerSource>);
        case KernelId::crop_yuv:
            return reinterpret_cast<const void*>(&crop<YuvSource>);
        case KernelId::crop_luma:
            return reinterpret_cast<const void*>(&crop<LumaSource>);
        default:
            return nullptr;
    }
}
