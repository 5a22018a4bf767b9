// Each twin takes its arguments as the kernel does: one struct.
#include "engine/kernels_host.h"

#include "decode/decode_cuda.h"
#include "preprocess/preprocess_cuda.h"

namespace fastpose {
namespace {

template <KernelId kernel>
void preprocess(const void* arguments, const KernelGrid&) noexcept {
    preprocess_on_host(kernel, *static_cast<const PreprocessArguments*>(arguments));
}

template <class Arguments, void (*decode)(const Arguments&, int) noexcept>
void decode_rows(const void* arguments, const KernelGrid& grid) noexcept {
    decode(*static_cast<const Arguments*>(arguments), static_cast<int>(grid.blocks_y));
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
    set(KernelId::decode_heatmap, decode_rows<MapArguments, decode_heatmap_on_host>);
    set(KernelId::decode_soft_window, decode_rows<MapArguments, decode_soft_window_on_host>);
    set(KernelId::decode_peaks, decode_rows<MapArguments, decode_peaks_on_host>);
    set(KernelId::decode_simcc, decode_rows<SimccArguments, decode_simcc_on_host>);
    set(KernelId::widen, widen);
    return kernels;
}

}  // namespace fastpose
