// What kernels read anew for each frame, from device memory: so the graph stays as it is while a roi moves.
#pragma once
#include <cstdint>

namespace fastpose {

struct RowParameters {
    std::int32_t roi_x = 0, roi_y = 0;  // corner of the roi, frame px
    std::int32_t stride_bytes = 0;      // of a (luma) row of the frame on the device
    std::int32_t reserved = 0;
    float scale_x = 1, scale_y = 1, offset_x = 0, offset_y = 0;  // tensor px -> sensor px
};
static_assert(sizeof(RowParameters) == 32);

}  // namespace fastpose
