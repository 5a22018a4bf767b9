// What preprocess does, from the words and numbers of the assembly.
#pragma once
#include <array>
#include <string>
#include <tuple>
#include <utility>

#include "preprocess/preprocess.h"

using Size = std::pair<int, int>;  // width, height; px
using PerChannel = std::array<float, 3>;

// All but the format of the tensor. Throws ConfigError for an unknown pixel format.
inline fastpose::PreprocessSpec preprocess_spec(const std::string& pixel_format, Size frame_size,
                                                Size output_size, Size image_size, const std::string& beyond,
                                                const std::string& origin, std::array<int, 4> roi,
                                                const std::string& colour, PerChannel scale,
                                                PerChannel offset) {
    using namespace fastpose;
    PreprocessSpec spec;
    spec.format = pixel_format_from(pixel_format);
    std::tie(spec.frame_width, spec.frame_height) = frame_size;
    std::tie(spec.output_width, spec.output_height) = output_size;
    std::tie(spec.image_width, spec.image_height) = image_size;
    spec.beyond = beyond == "zero" ? Beyond::zero : Beyond::mirror;
    spec.origin = origin == "corner" ? Origin::corner : Origin::centre;
    spec.roi = {roi[0], roi[1], roi[2], roi[3]};
    spec.colour = colour == "rgb" ? InputColour::rgb : InputColour::grey;
    spec.scale = scale;
    spec.offset = offset;
    return spec;
}
