// What a crop is, from the words and numbers of the assembly.
#pragma once
#include <array>
#include <string>

#include "base/error.h"
#include "preprocess/crop.h"
#include "preprocess_spec.h"

// All but the format of the tensor. Throws ConfigError for an unknown pixel format or mode.
inline fastpose::CropSpec crop_spec(const std::string& pixel_format, Size frame_size, Size crop_size,
                                    std::array<int, 4> roi, const std::string& colour, PerChannel scale,
                                    PerChannel offset, const std::string& mode, bool antialias,
                                    float margin_px) {
    using namespace fastpose;
    if (mode != "scaled" && mode != "centred")
        throw ConfigError("crop is '" + mode + "'; allowed: scaled, centred");
    return {preprocess_spec(pixel_format, frame_size, crop_size, {0, 0}, "mirror", "centre", roi, colour,
                            scale, offset),
            mode == "scaled" ? CropMode::scaled : CropMode::centred, antialias, margin_px};
}
