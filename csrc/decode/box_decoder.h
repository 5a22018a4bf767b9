// From a detector's output to the boxes of the animals.
#pragma once
#include <memory>
#include <span>

#include "base/tensor.h"
#include "decode/decoder.h"
#include "pose/box.h"

namespace fastpose {

struct BoxDecoderSpec {
    float min_score = 0.6F;  // boxes below are none
};

struct CentroidDecoderSpec {
    int map_height = 0, map_width = 0;  // cells
    float stride = 1;                   // tensor px per cell
    float min_score = 0.2F;             // only peaks above count
    int window = 5;                     // side of the window that refines a peak, cells; odd
};

// Thread-bound; allocates nothing after construction.
class BoxDecoder {
  public:
    virtual ~BoxDecoder() = default;
    // Writes the boxes of highest score, best first, as many as there is room for; returns their number.
    [[nodiscard]] virtual int run(std::span<const TensorView> outputs, const DecodeAffine& affine,
                                  std::span<Box> boxes) noexcept = 0;
};

// `affine` maps edges here, and places in SLEAP's convention: an offset without half-pixel term.
// outputs: [boxes (1, 1, n, 4): left, top, right, bottom in tensor px, scores (1, 1, 1, n)], n may differ
// from run to run. Boxes without area or with a number that is not finite are none. Throws ConfigError.
[[nodiscard]] std::unique_ptr<BoxDecoder> make_box_decoder(const BoxDecoderSpec& spec);

// outputs: [heatmap (1, 1, h, w)]: a box without size for each cell that is higher than its eight neighbours
// (of equal ones the first in row-major order), at the weighted mean of the window around it, times the
// stride, without half a cell (SLEAP's centroids). Throws ConfigError.
[[nodiscard]] std::unique_ptr<BoxDecoder> make_centroid_decoder(const CentroidDecoderSpec& spec);

}  // namespace fastpose
