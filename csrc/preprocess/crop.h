// One animal's part of a frame as network input, for networks that see one animal at a time.
#pragma once
#include <memory>

#include "pose/box.h"
#include "preprocess/preprocess.h"

namespace fastpose {

enum class CropMode : int {
    scaled = 0,   // the box, grown to the crop's aspect ratio, is resized (DeepLabCut)
    centred = 1,  // the frame's own pixels around the box's centre (SLEAP)
};

struct CropSpec {
    // Its roi is the part of the frame that counts: outside of it a crop is black. The output size is the
    // crop's.
    PreprocessSpec frame;
    CropMode mode = CropMode::scaled;
    bool antialias = true;  // a crop made smaller is low-passed first; scaled only
    float margin_px = 0;    // added to a box on each side; scaled only
};

// The crop's rectangle: the box grown in its shorter direction about its centre, corners rounded to whole
// pixels (half to even). Resize: bilinear with half-pixel centres; with antialias the triangle grows with the
// factor, as in torchvision; the result is rounded to whole grey levels. Way back, DeepLabCut's:
// x = x_crop * width / crop_width + left, without a half-pixel term.
// Centred, SLEAP's: the crop begins at floor(centre - size / 2 + 0.5), towards zero for centres that lie
// before the frame; the way back adds that number as it was before. Planned once, executed without
// allocation. Thread-bound.
class Cropper {
  public:
    virtual ~Cropper() = default;
    // Of the frame in the following runs; its memory stays until then.
    virtual void begin(const FrameView& frame) noexcept = 0;
    // tensor: (C, output_height, output_width) in its format. The box has positive width and height.
    virtual TensorToSensor run(const Box& box, void* tensor) noexcept = 0;
    [[nodiscard]] virtual TensorFormat format() const noexcept = 0;
};

// Throws ConfigError as make_preprocessor does, and for a margin that is negative.
[[nodiscard]] std::unique_ptr<Cropper> make_cropper(const CropSpec& spec);

}  // namespace fastpose
