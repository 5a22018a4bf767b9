// Portable converters, and the choice of converter.
#include "preprocess/line_converter.h"

#include "preprocess/bayer.h"
#include "preprocess/yuv.h"

namespace fastpose {

ConverterChoice make_line_converter(PixelFormat format, InputColour colour, Isa isa) {
    switch (format) {
        case PixelFormat::yuyv:
        case PixelFormat::nv12:
            return {make_yuv_converter(format, colour, isa), colour == InputColour::rgb ? 3 : 1, kYuvUnit};
        default:
            return {make_bayer_converter(format, isa), 3, kBayerUnit};
    }
}

}  // namespace fastpose
