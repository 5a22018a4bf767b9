// Negotiation: what is asked for is what is set, or set-up fails with what there is.
#include "camera/v4l2_format.h"

#include <linux/videodev2.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <functional>

namespace fastpose {
namespace {

struct Match {
    PixelFormat format;
    std::uint32_t fourcc;
};

constexpr std::array matches{
    Match{PixelFormat::mono8, V4L2_PIX_FMT_GREY},       Match{PixelFormat::rgb8, V4L2_PIX_FMT_RGB24},
    Match{PixelFormat::bgr8, V4L2_PIX_FMT_BGR24},       Match{PixelFormat::bayer_rg8, V4L2_PIX_FMT_SRGGB8},
    Match{PixelFormat::bayer_gr8, V4L2_PIX_FMT_SGRBG8}, Match{PixelFormat::bayer_gb8, V4L2_PIX_FMT_SGBRG8},
    Match{PixelFormat::bayer_bg8, V4L2_PIX_FMT_SBGGR8}, Match{PixelFormat::yuyv, V4L2_PIX_FMT_YUYV},
    Match{PixelFormat::nv12, V4L2_PIX_FMT_NV12},
};
constexpr int most_listed = 256;            // of a driver that never ends its list
constexpr double rate_tolerance = 0.01;     // 30 Hz may be 29.97
constexpr std::uint32_t rate_scale = 1000;  // a rate as a fraction, for drivers that take any

std::optional<PixelFormat> our_format(std::uint32_t fourcc) {
    for (const Match& match : matches)
        if (match.fourcc == fourcc) return match.format;
    return std::nullopt;
}

std::string our_name(std::uint32_t fourcc) {
    if (fourcc == V4L2_PIX_FMT_MJPEG) return "mjpg";
    const auto format = our_format(fourcc);
    return format ? std::string(name_of(*format)) : std::string();
}

double hertz(const v4l2_fract& period) {
    return period.numerator == 0 ? 0 : static_cast<double>(period.denominator) / period.numerator;
}

std::string number(double value) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.6g", value);
    return text.data();
}

std::string size_name(int width, int height) { return std::to_string(width) + "x" + std::to_string(height); }

// The periods that the device offers at a size, as it lists them.
std::vector<v4l2_fract> list_periods(V4l2Device& device, std::uint32_t fourcc, int width, int height) {
    std::vector<v4l2_fract> periods;
    v4l2_frmivalenum entry{};
    entry.pixel_format = fourcc;
    entry.width = static_cast<std::uint32_t>(width);
    entry.height = static_cast<std::uint32_t>(height);
    for (; entry.index < most_listed && device.call(VIDIOC_ENUM_FRAMEINTERVALS, entry) >= 0; ++entry.index) {
        if (entry.type == V4L2_FRMIVAL_TYPE_DISCRETE) {
            periods.push_back(entry.discrete);
            continue;
        }
        periods = {entry.stepwise.min, entry.stepwise.max};
        break;
    }
    return periods;
}

std::vector<double> list_rates(V4l2Device& device, std::uint32_t fourcc, int width, int height) {
    std::vector<double> rates;
    for (const v4l2_fract& period : list_periods(device, fourcc, width, height))
        rates.push_back(hertz(period));
    std::sort(rates.begin(), rates.end(), std::greater<>());
    return rates;
}

std::vector<V4l2Size> list_sizes(V4l2Device& device, std::uint32_t fourcc) {
    std::vector<V4l2Size> sizes;
    v4l2_frmsizeenum entry{};
    entry.pixel_format = fourcc;
    for (; entry.index < most_listed && device.call(VIDIOC_ENUM_FRAMESIZES, entry) >= 0; ++entry.index) {
        const bool discrete = entry.type == V4L2_FRMSIZE_TYPE_DISCRETE;
        const int width = static_cast<int>(discrete ? entry.discrete.width : entry.stepwise.max_width);
        const int height = static_cast<int>(discrete ? entry.discrete.height : entry.stepwise.max_height);
        sizes.push_back({width, height, list_rates(device, fourcc, width, height)});
        if (!discrete) break;
    }
    return sizes;
}

std::string joined(const std::vector<std::string>& words) {
    std::string text;
    for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
    return text.empty() ? "none that it tells" : text;
}

std::string rates_text(V4l2Device& device, const V4l2Layout& layout) {
    std::vector<std::string> rates;
    for (const double rate : list_rates(device, layout.fourcc, layout.width, layout.height))
        rates.push_back(number(rate));
    return joined(rates);
}

bool offers(const std::vector<V4l2Format>& formats, std::uint32_t fourcc) {
    return std::any_of(formats.begin(), formats.end(),
                       [&](const V4l2Format& format) { return format.fourcc == fourcc_name(fourcc); });
}

std::string offered_text(const std::vector<V4l2Format>& formats) {
    std::vector<std::string> offered;
    for (const V4l2Format& format : formats)
        offered.push_back(format.fourcc + (format.pixel_format.empty() ? " (not supported)"
                                                                       : " (" + format.pixel_format + ")"));
    return joined(offered);
}

// `what` in words, as "pixel_format nv12 needs NV12".
[[noreturn]] void refuse_format(V4l2Device& device, const V4l2Spec& spec, const std::string& what) {
    const std::vector<V4l2Format> formats = list_formats(device);
    const bool decodable = !spec.mjpg && offers(formats, V4L2_PIX_FMT_MJPEG);
    device.fail(what + "; it offers " + offered_text(formats) +
                (decodable ? "; for frames out of MJPG set compression: mjpg" : ""));
}

[[noreturn]] void refuse_size(V4l2Device& device, const V4l2Layout& wanted, const v4l2_pix_format& got) {
    std::vector<std::string> sizes;
    for (const V4l2Size& size : list_sizes(device, wanted.fourcc))
        sizes.push_back(size_name(size.width, size.height));
    device.fail("size is " + size_name(wanted.width, wanted.height) + ", of which it makes " +
                size_name(static_cast<int>(got.width), static_cast<int>(got.height)) + "; allowed with " +
                fourcc_name(wanted.fourcc) + ": " + joined(sizes));
}

std::string needs_text(const V4l2Layout& wanted) {
    return "pixel_format " + std::string(name_of(wanted.pixel_format)) + " needs " +
           fourcc_name(wanted.fourcc);
}

v4l2_pix_format current_format(V4l2Device& device) {
    v4l2_format format{};
    format.type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
    device.demand(VIDIOC_G_FMT, format, "read its format");
    return format.fmt.pix;
}

// What is asked for, and for the rest what is set.
V4l2Layout wanted_layout(V4l2Device& device, const V4l2Spec& spec) {
    const v4l2_pix_format current = current_format(device);
    const auto format = spec.pixel_format ? spec.pixel_format : our_format(current.pixelformat);
    if (!format)
        refuse_format(device, spec,
                      "it is set to " + fourcc_name(current.pixelformat) +
                          ", which is not supported: give pixel_format");
    V4l2Layout wanted;
    wanted.pixel_format = *format;
    wanted.fourcc = spec.mjpg ? V4L2_PIX_FMT_MJPEG : fourcc_of(*format);
    wanted.width = spec.width > 0 ? spec.width : static_cast<int>(current.width);
    wanted.height = spec.height > 0 ? spec.height : static_cast<int>(current.height);
    if (wanted.fourcc == 0)
        refuse_format(device, spec, "V4L2 has no pixel_format " + std::string(name_of(*format)));
    return wanted;
}

// The period that the device lists nearest to the rate; any, where it lists none.
v4l2_fract period_for(V4l2Device& device, const V4l2Layout& layout, double rate_hz) {
    v4l2_fract best{rate_scale, static_cast<std::uint32_t>(std::llround(rate_hz * rate_scale))};
    double off_by = rate_tolerance * rate_hz;
    for (const v4l2_fract& period : list_periods(device, layout.fourcc, layout.width, layout.height)) {
        const double distance = std::abs(hertz(period) - rate_hz);
        if (distance > off_by) continue;
        best = period;
        off_by = distance;
    }
    return best;
}

}  // namespace

std::string fourcc_name(std::uint32_t fourcc) {
    std::string name;
    for (int shift = 0; shift < 32; shift += 8) name += static_cast<char>(fourcc >> shift & 0x7F);
    return name.substr(0, name.find_last_not_of(' ') + 1);
}

std::uint32_t fourcc_of(PixelFormat format) noexcept {
    for (const Match& match : matches)
        if (match.format == format) return match.fourcc;
    return 0;
}

std::vector<V4l2Format> list_formats(V4l2Device& device) {
    std::vector<V4l2Format> formats;
    v4l2_fmtdesc entry{};
    entry.type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
    for (; entry.index < most_listed && device.call(VIDIOC_ENUM_FMT, entry) >= 0; ++entry.index)
        formats.push_back({fourcc_name(entry.pixelformat), our_name(entry.pixelformat),
                           list_sizes(device, entry.pixelformat)});
    return formats;
}

V4l2Layout set_format(V4l2Device& device, const V4l2Spec& spec) {
    V4l2Layout layout = wanted_layout(device, spec);
    v4l2_format format{};
    format.type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
    format.fmt.pix.width = static_cast<std::uint32_t>(layout.width);
    format.fmt.pix.height = static_cast<std::uint32_t>(layout.height);
    format.fmt.pix.pixelformat = layout.fourcc;
    format.fmt.pix.field = V4L2_FIELD_NONE;
    const int result = device.call(VIDIOC_S_FMT, format);
    const v4l2_pix_format& got = format.fmt.pix;
    if (result == -EINVAL || (result >= 0 && got.pixelformat != layout.fourcc))
        refuse_format(device, spec, needs_text(layout));
    if (result < 0) device.refuse("set its format", -result);
    if (layout.width != static_cast<int>(got.width) || layout.height != static_cast<int>(got.height))
        refuse_size(device, layout, got);
    if (got.field != V4L2_FIELD_NONE && got.field != V4L2_FIELD_ANY)
        device.fail("its frames are interlaced, which is not supported; choose a progressive size");
    layout.stride_bytes = got.bytesperline;
    layout.buffer_bytes = got.sizeimage;
    return layout;
}

double set_rate(V4l2Device& device, const V4l2Layout& layout, std::optional<double> rate_hz) {
    v4l2_streamparm parameters{};
    parameters.type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
    const bool known = device.call(VIDIOC_G_PARM, parameters) >= 0;
    const bool settable = known && (parameters.parm.capture.capability & V4L2_CAP_TIMEPERFRAME) != 0;
    if (!rate_hz) return known ? hertz(parameters.parm.capture.timeperframe) : 0;
    if (!settable)
        device.fail("rate_hz is " + number(*rate_hz) + ", but its driver sets no rate; leave rate_hz out");
    parameters.parm.capture.timeperframe = period_for(device, layout, *rate_hz);
    device.demand(VIDIOC_S_PARM, parameters, "set its rate");
    const double got_hz = hertz(parameters.parm.capture.timeperframe);
    if (std::abs(got_hz - *rate_hz) > rate_tolerance * *rate_hz)
        device.fail("rate_hz is " + number(*rate_hz) + ", of which it makes " + number(got_hz) +
                    "; allowed at " + size_name(layout.width, layout.height) + ": " +
                    rates_text(device, layout));
    return got_hz;
}

}  // namespace fastpose
