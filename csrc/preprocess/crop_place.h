// Which part of the frame a crop shows, and the way back from it.
#pragma once
#include "preprocess/crop.h"

namespace fastpose {

struct CropPlace {
    Roi rectangle;             // relative to the area (the spec's roi); it may reach beyond
    TensorToSensor to_sensor;  // crop px -> full-frame sensor px
};

// See make_cropper. The box has positive width and height, or the mode is centred.
[[nodiscard]] CropPlace crop_place(const CropSpec& spec, const Box& box) noexcept;

}  // namespace fastpose
