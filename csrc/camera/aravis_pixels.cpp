// Codes of the Pixel Format Naming Convention (PFNC 2.4).
#include "camera/aravis_pixels.h"

#include <algorithm>
#include <array>
#include <utility>

namespace fastpose::aravis {
namespace {

constexpr std::array<std::pair<PixelFormat, ArvPixelFormat>, 10> formats{{
    {PixelFormat::mono8, ARV_PIXEL_FORMAT_MONO_8},
    {PixelFormat::rgb8, ARV_PIXEL_FORMAT_RGB_8_PACKED},
    {PixelFormat::bgr8, ARV_PIXEL_FORMAT_BGR_8_PACKED},
    {PixelFormat::bayer_rg8, ARV_PIXEL_FORMAT_BAYER_RG_8},
    {PixelFormat::bayer_gr8, ARV_PIXEL_FORMAT_BAYER_GR_8},
    {PixelFormat::bayer_gb8, ARV_PIXEL_FORMAT_BAYER_GB_8},
    {PixelFormat::bayer_bg8, ARV_PIXEL_FORMAT_BAYER_BG_8},
    {PixelFormat::yuyv, ARV_PIXEL_FORMAT_YUV_422_YUYV_PACKED},
    {PixelFormat::mono10, ARV_PIXEL_FORMAT_MONO_10},
    {PixelFormat::mono12, ARV_PIXEL_FORMAT_MONO_12},
}};

}  // namespace

ArvPixelFormat pixel_code(PixelFormat format) {
    for (const auto& [ours, theirs] : formats)
        if (ours == format) return theirs;
    throw CameraError("pixel_format " + std::string(name_of(format)) +
                      " is none of GenICam's; allowed: mono8, mono10, mono12, rgb8, bgr8, bayer_*8, yuyv");
}

PixelFormat pixel_format_of(ArvCamera* camera) {
    const ArvPixelFormat code = ask("pixel_format", arv_camera_get_pixel_format, camera);
    for (const auto& [ours, theirs] : formats)
        if (theirs == code) return ours;
    throw CameraError("the camera is set to pixel format " +
                      std::string(ask_or("?", arv_camera_get_pixel_format_as_string, camera)) +
                      ", which fastpose does not read; give it a pixel_format, such as mono8");
}

std::vector<PixelFormat> pixel_formats(ArvCamera* camera) {
    guint count = 0;
    const Owned<gint64> codes(ask("pixel formats", arv_camera_dup_available_pixel_formats, camera, &count));
    std::vector<PixelFormat> offered;
    for (const auto& [ours, theirs] : formats)
        if (std::find(codes.get(), codes.get() + count, static_cast<gint64>(theirs)) != codes.get() + count)
            offered.push_back(ours);
    return offered;
}

}  // namespace fastpose::aravis
