// What the threads of a block agree on.
#pragma once
#include "decode/decode_kernel.h"

namespace fastpose {

inline constexpr int block_threads = 256;  // kDecodeThreads
inline constexpr int warp_threads = 32;

__device__ inline Candidate best_of_warp(Candidate best) {
    for (int distance = warp_threads / 2; distance > 0; distance /= 2) {
        const Candidate other{__shfl_down_sync(0xffffffffU, best.value, distance),
                              __shfl_down_sync(0xffffffffU, best.index, distance)};
        best = best_of(best, other);
    }
    return best;
}

// The best of all threads, which every thread gets.
__device__ inline Candidate best_of_block(Candidate best) {
    __shared__ float values[block_threads / warp_threads];
    __shared__ int indices[block_threads / warp_threads];
    best = best_of_warp(best);
    if (threadIdx.x % warp_threads == 0) {
        values[threadIdx.x / warp_threads] = best.value;
        indices[threadIdx.x / warp_threads] = best.index;
    }
    __syncthreads();
    best = {values[0], indices[0]};
    for (int i = 1; i < block_threads / warp_threads; ++i) best = best_of(best, {values[i], indices[i]});
    __syncthreads();
    return best;
}

}  // namespace fastpose
