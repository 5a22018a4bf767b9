// Which AVX2 resampler a line's layout needs.
#include "preprocess/row_resampler_avx2.h"

#if FASTPOSE_X86

namespace fastpose {

std::unique_ptr<RowResampler> make_row_resampler_avx2(const RowSpec& spec) {
    return spec.pixel_samples == 3 ? avx2::make_pixel_resampler(spec) : avx2::make_planar_resampler(spec);
}

}  // namespace fastpose
#endif
