// From raw sensor pixels to the network's input tensor in one pass: demosaic or convert, crop, resize,
// normalise.
#pragma once
#include <array>
#include <memory>

#include "base/tensor.h"
#include "frame/frame.h"

namespace fastpose {

enum class InputColour : int { grey = 0, rgb = 1 };  // channels of the network's input: 1 or 3

// mirror: the image about its outermost pixels, as numpy.pad's mode "reflect"; zero: tensor values of 0.
enum class Beyond : int { mirror = 0, zero = 1 };

// What a resize keeps in place for tensor_to_sensor(): a pixel's centre has integer coordinates, so that the
// offset holds a half-pixel term (centre), or coordinates are multiplied by the scale alone (corner), as many
// tools do.
enum class Origin : int { centre = 0, corner = 1 };

struct PreprocessSpec {
    PixelFormat format = PixelFormat::mono8;
    int frame_width = 0, frame_height = 0;  // px of the full frame
    Roi roi;                                // rectangle that the network sees; inside the frame
    int output_width = 0, output_height = 0;
    // Part of the tensor, at its left and top, to which the roi is resampled; 0: the whole tensor.
    int image_width = 0, image_height = 0;
    Beyond beyond = Beyond::mirror;  // what the tensor holds to the right of that part and below
    Origin origin = Origin::centre;
    InputColour colour = InputColour::grey;
    // tensor = pixel * scale[c] + offset[c], pixel in 0..255 (mono10 and mono12: white becomes 255); rgb8
    // means come in R, G, B order. u8 elements are that, rounded to the nearest (half to even) and clamped to
    // 0..255.
    std::array<float, 3> scale{1.0F / 255, 1.0F / 255, 1.0F / 255};
    std::array<float, 3> offset{0, 0, 0};
    TensorFormat tensor;
};

// tensor px -> full-frame sensor px: x_sensor = x_tensor * scale_x + offset_x. See Origin.
struct TensorToSensor {
    float scale_x = 1, scale_y = 1, offset_x = 0, offset_y = 0;
};

// Bilinear, half-pixel centres, edges clamped, no antialias (OpenCV's INTER_LINEAR convention).
// Planned once, executed without allocation. Thread-bound.
class Preprocessor {
  public:
    virtual ~Preprocessor() = default;
    // frame: as in the spec; tensor: (1, C, output_height, output_width) in its format, caller's memory.
    virtual void run(const FrameView& frame, void* tensor) noexcept = 0;
    [[nodiscard]] virtual TensorFormat format() const noexcept = 0;
    // From the next run on the roi's upper left corner lies there, or as near as the frame allows.
    virtual void move_roi(int x, int y) noexcept = 0;
    [[nodiscard]] virtual Roi roi() const noexcept = 0;
    // Of the roi where it lies now.
    [[nodiscard]] virtual TensorToSensor tensor_to_sensor() const noexcept = 0;
};

// Throws ConfigError for a roi outside the frame, sizes that are not positive, or a tensor that would mirror
// more than there is.
[[nodiscard]] std::unique_ptr<Preprocessor> make_preprocessor(const PreprocessSpec& spec);

}  // namespace fastpose
