// The decode kernels: a block for each map of a row of the batch.
#include "cuda/kernels.h"
#include "decode/block_best.cuh"
#include "decode/decode_kernel.h"

namespace fastpose {
namespace {

constexpr int threads = block_threads, warp = warp_threads;

__device__ float sum_of_block(float sum) {
    __shared__ float of_warps[threads / warp];
    for (int distance = warp / 2; distance > 0; distance /= 2)
        sum += __shfl_down_sync(0xffffffffU, sum, distance);
    if (threadIdx.x % warp == 0) of_warps[threadIdx.x / warp] = sum;
    __syncthreads();
    sum = 0;
    for (int i = 0; i < threads / warp; ++i) sum += of_warps[i];
    __syncthreads();
    return sum;
}

__device__ Candidate argmax_of_block(const MapView& map, int cells) {
    return best_of_block(strided_argmax(map, cells, static_cast<int>(threadIdx.x), threads));
}

__global__ void decode_heatmap(const MapArguments spec) {
    const int part = static_cast<int>(blockIdx.x), row = static_cast<int>(blockIdx.y);
    const Candidate peak = argmax_of_block(map_of(spec, row, part), cells_of(spec));
    if (threadIdx.x == 0) place_of(spec, row, 0, part) = heatmap_keypoint(spec, row, part, peak);
}

__global__ void decode_soft_window(const MapArguments spec) {
    const int part = static_cast<int>(blockIdx.x), row = static_cast<int>(blockIdx.y);
    const Candidate peak = argmax_of_block(map_of(spec, row, part), cells_of(spec));
    if (threadIdx.x == 0) place_of(spec, row, 0, part) = soft_window_keypoint(spec, row, part, peak);
}

__global__ void decode_peaks(const MapArguments spec) {
    const int part = static_cast<int>(blockIdx.x), row = static_cast<int>(blockIdx.y);
    const MapView map = map_of(spec, row, part);
    Candidate last = before_all();
    for (int individual = 0; individual < spec.individuals; ++individual) {
        last = best_of_block(strided_peak(spec, map, last, static_cast<int>(threadIdx.x), threads));
        if (threadIdx.x == 0) place_of(spec, row, individual, part) = heatmap_keypoint(spec, row, part, last);
    }
}

__global__ void decode_simcc(const SimccArguments spec) {
    const int part = static_cast<int>(blockIdx.x), row = static_cast<int>(blockIdx.y);
    const int thread = static_cast<int>(threadIdx.x);
    const MapView x = bins_of(spec.x, row, part, spec.bodyparts, spec.bins_x);
    const MapView y = bins_of(spec.y, row, part, spec.bodyparts, spec.bins_y);
    const Candidate column = argmax_of_block(x, spec.bins_x), line = argmax_of_block(y, spec.bins_y);
    float mass_x = 0, mass_y = 0;
    if (spec.softmax) {
        mass_x = sum_of_block(strided_mass(x, spec.bins_x, column.value, spec.temperature, thread, threads));
        mass_y = sum_of_block(strided_mass(y, spec.bins_y, line.value, spec.temperature, thread, threads));
    }
    if (thread == 0) place_of(spec, row, 0, part) = simcc_keypoint(spec, row, column, line, mass_x, mass_y);
}

__global__ void widen(const WidenArguments spec) {
    const std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
    if (i < spec.count) spec.to[i] = float_from(spec.from[i]);
}

}  // namespace
}  // namespace fastpose

// The kernel's address for the runtime's calls; null for other kernels.
extern "C" const void* fastpose_decode_kernel(int kernel) {
    using namespace fastpose;
    switch (static_cast<KernelId>(kernel)) {
        case KernelId::decode_heatmap:
            return reinterpret_cast<const void*>(&decode_heatmap);
        case KernelId::decode_soft_window:
            return reinterpret_cast<const void*>(&decode_soft_window);
        case KernelId::decode_peaks:
            return reinterpret_cast<const void*>(&decode_peaks);
        case KernelId::decode_simcc:
            return reinterpret_cast<const void*>(&decode_simcc);
        case KernelId::widen:
            return reinterpret_cast<const void*>(&widen);
        default:
            return nullptr;
    }
}
