// Each twin takes its arguments as the kernel does: one struct.
#include "engine/kernels_host.h"

#include "decode/decode_cuda.h"
#include "decode/paf_lists_cuda.h"
#include "preprocess/crop_cuda.h"
#include "preprocess/preprocess_cuda.h"

namespace fastpose {
namespace {

template <KernelId kernel>
void preprocess(const void* arguments, const KernelGrid&) noexcept {
    preprocess_on_host(kernel, *static_cast<const PreprocessArguments*>(arguments));
}

template <KernelId kernel>
void crop(const void* arguments, const KernelGrid&) noexcept {
    crop_on_host(kernel, *static_cast<const CropArguments*>(arguments));
}

template <class Arguments, void (*decode)(const Arguments&, int) noexcept>
void decode_rows(const void* arguments, const KernelGrid& grid) noexcept {
    decode(*static_cast<const Arguments*>(arguments), static_cast<int>(grid.blocks_y));
}

template <class Arguments, void (*make)(const Arguments&) noexcept>
void make_lists(const void* arguments, const KernelGrid&) noexcept {
    make(*static_cast<const Arguments*>(arguments));
}

void widen(const void* arguments, const KernelGrid&) noexcept {
    widen_on_host(*static_cast<const WidenArguments*>(arguments));
}

}  // namespace

HostKernels host_kernels() noexcept {
    HostKernels kernels{};
    const auto set = [&](KernelId id, HostKernel twin) { kernels[static_cast<std::size_t>(id)] = twin; };
    set(KernelId::preprocess_mono8, preprocess<KernelId::preprocess_mono8>);
    set(KernelId::preprocess_wide, preprocess<KernelId::preprocess_wide>);
    set(KernelId::preprocess_colour, preprocess<KernelId::preprocess_colour>);
    set(KernelId::preprocess_bayer, preprocess<KernelId::preprocess_bayer>);
    set(KernelId::preprocess_yuv, preprocess<KernelId::preprocess_yuv>);
    set(KernelId::preprocess_luma, preprocess<KernelId::preprocess_luma>);
    set(KernelId::crop_mono8, crop<KernelId::crop_mono8>);
    set(KernelId::crop_wide, crop<KernelId::crop_wide>);
    set(KernelId::crop_colour, crop<KernelId::crop_colour>);
    set(KernelId::crop_bayer, crop<KernelId::crop_bayer>);
    set(KernelId::crop_yuv, crop<KernelId::crop_yuv>);
    set(KernelId::crop_luma, crop<KernelId::crop_luma>);
    set(KernelId::decode_heatmap, decode_rows<MapArguments, decode_heatmap_on_host>);
    set(KernelId::decode_soft_window, decode_rows<MapArguments, decode_soft_window_on_host>);
    set(KernelId::decode_peaks, decode_rows<MapArguments, decode_peaks_on_host>);
    set(KernelId::decode_simcc, decode_rows<SimccArguments, decode_simcc_on_host>);
    set(KernelId::paf_smooth_x, make_lists<PafListArguments, paf_smooth_x_on_host>);
    set(KernelId::paf_smooth_y, make_lists<PafListArguments, paf_smooth_y_on_host>);
    set(KernelId::paf_peaks, make_lists<PafListArguments, paf_peaks_on_host>);
    set(KernelId::paf_limbs, make_lists<PafListArguments, paf_limbs_on_host>);
    set(KernelId::paf_tree_peaks, make_lists<PafTreeListArguments, paf_tree_peaks_on_host>);
    set(KernelId::paf_tree_limbs, make_lists<PafTreeListArguments, paf_tree_limbs_on_host>);
    set(KernelId::widen, widen);
    return kernels;
}

}  // namespace fastpose
