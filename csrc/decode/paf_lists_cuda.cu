// The kernels of the lists: smoothing a thread a cell, peaks a block a map, affinities a block a limb.
#include "cuda/kernels.h"
#include "decode/block_best.cuh"
#include "decode/paf_lists_kernel.h"

namespace fastpose {
namespace {

__device__ std::int64_t cell_of_thread() {
    return static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
}

__global__ void paf_smooth_x(const PafListArguments spec) {
    const std::int64_t cell = cell_of_thread();
    if (cell < cells_of_all(spec)) spec.rows[cell] = smoothed_along_x(spec, cell);
}

__global__ void paf_smooth_y(const PafListArguments spec) {
    const std::int64_t cell = cell_of_thread();
    if (cell < cells_of_all(spec)) spec.scores[cell] = smoothed_along_y(spec, cell);
}

__global__ void paf_peaks(const PafListArguments spec) {
    const int part = static_cast<int>(blockIdx.x), row = static_cast<int>(blockIdx.y);
    const MapArguments maps = score_maps(spec);
    const MapView map = map_of(maps, row, part);
    Candidate last = before_all();
    for (int rank = 0; rank < spec.lists.most; ++rank) {
        last = best_of_block(strided_peak(maps, map, last, static_cast<int>(threadIdx.x), block_threads));
        if (threadIdx.x == 0) spec.lists.peak(row, part, rank) = paf_entry(spec, row, part, last);
        if (!isfinite(last.value))  // alike in all threads
            return end_list(spec.lists, row, part, rank + 1 + static_cast<int>(threadIdx.x), block_threads);
    }
}

__global__ void paf_tree_peaks(const PafTreeListArguments spec) {
    const int part = static_cast<int>(blockIdx.x), row = static_cast<int>(blockIdx.y);
    const MapView map = map_of(spec, row, part);
    Candidate last = before_all();
    for (int rank = 0; rank < spec.lists.most; ++rank) {
        last =
            best_of_block(strided_tree_peak(spec, map, last, static_cast<int>(threadIdx.x), block_threads));
        if (threadIdx.x == 0) spec.lists.peak(row, part, rank) = tree_entry(spec, map, last);
        if (last.index >= spec.height * spec.width)
            return end_list(spec.lists, row, part, rank + 1 + static_cast<int>(threadIdx.x), block_threads);
    }
}

template <class Arguments>
__global__ void paf_limbs(const Arguments spec) {
    const int limb = static_cast<int>(blockIdx.x), row = static_cast<int>(blockIdx.y), most = spec.lists.most;
    for (int pair = static_cast<int>(threadIdx.x); pair < most * most; pair += block_threads)
        spec.lists.affinity(row, limb, pair / most, pair % most) =
            paf_affinity(spec, row, limb, pair / most, pair % most);
}

}  // namespace
}  // namespace fastpose

// The kernel's address for the runtime's calls; null for other kernels.
extern "C" const void* fastpose_lists_kernel(int kernel) {
    using namespace fastpose;
    switch (static_cast<KernelId>(kernel)) {
        case KernelId::paf_smooth_x:
            return reinterpret_cast<const void*>(&paf_smooth_x);
        case KernelId::paf_smooth_y:
            return reinterpret_cast<const void*>(&paf_smooth_y);
        case KernelId::paf_peaks:
            return reinterpret_cast<const void*>(&paf_peaks);
        case KernelId::paf_limbs:
            return reinterpret_cast<const void*>(&paf_limbs<PafListArguments>);
        case KernelId::paf_tree_peaks:
            return reinterpret_cast<const void*>(&paf_tree_peaks);
        case KernelId::paf_tree_limbs:
            return reinterpret_cast<const void*>(&paf_limbs<PafTreeListArguments>);
        default:
            return nullptr;
    }
}
