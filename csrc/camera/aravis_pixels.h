// GenICam's pixel formats and ours.
#pragma once
#include <vector>

#include "camera/aravis_glib.h"
#include "frame/frame.h"

namespace fastpose::aravis {

// Of the formats that arrive in memory as ours do. Throws CameraError for one that GenICam has not.
[[nodiscard]] ArvPixelFormat pixel_code(PixelFormat format);

// What the camera is set to. Throws CameraError for a format that fastpose does not read.
[[nodiscard]] PixelFormat pixel_format_of(ArvCamera* camera);

// Those of ours that the camera offers.
[[nodiscard]] std::vector<PixelFormat> pixel_formats(ArvCamera* camera);

}  // namespace fastpose::aravis
