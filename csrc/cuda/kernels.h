// The kernels by name, and how one is called: whoever runs them, a GPU or the emulation, has a table of them.
#pragma once
#include <cstddef>

namespace fastpose {

enum class KernelId : int {
    preprocess_mono8 = 0,
    preprocess_wide,    // mono10, mono12
    preprocess_colour,  // rgb8, bgr8
    preprocess_bayer,
    preprocess_yuv,   // yuyv, nv12 for a network of colours
    preprocess_luma,  // yuyv, nv12 for a grey one
    crop_mono8,
    crop_wide,
    crop_colour,
    crop_bayer,
    crop_yuv,
    crop_luma,
    decode_heatmap,
    decode_simcc,
    decode_soft_window,
    decode_peaks,
    paf_smooth_x,
    paf_smooth_y,
    paf_peaks,
    paf_limbs,
    paf_tree_peaks,
    paf_tree_limbs,
    widen,  // half to float
    count
};
inline constexpr std::size_t kKernels = static_cast<std::size_t>(KernelId::count);

struct KernelGrid {
    unsigned blocks_x = 1, blocks_y = 1, blocks_z = 1;
    unsigned threads_x = 1, threads_y = 1;
};

// A kernel takes one struct by value. It is copied when a node is made.
struct KernelCall {
    KernelId kernel = KernelId::count;
    KernelGrid grid;
    const void* arguments = nullptr;
    std::size_t bytes = 0;
};

// Blocks of `threads` that cover `count`.
[[nodiscard]] constexpr unsigned blocks_for(int count, unsigned threads) noexcept {
    return (static_cast<unsigned>(count) + threads - 1) / threads;
}

}  // namespace fastpose
