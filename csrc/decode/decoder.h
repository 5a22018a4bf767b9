// From the network's maps to keypoints in full-frame sensor pixels.
#pragma once
#include <memory>
#include <span>

#include "base/tensor.h"
#include "pose/pose.h"

namespace fastpose {

enum class ScoreActivation : int { none = 0, sigmoid = 1, clip = 2 };

struct HeatmapDecoderSpec {
    int bodyparts = 0;
    int map_height = 0, map_width = 0;  // cells
    float stride = 8;                   // tensor px per cell
    float locref_stdev = 7.2801F;       // 0: the network has no locref
    ScoreActivation activation = ScoreActivation::sigmoid;
};

struct DecodeAffine {  // tensor px -> sensor px
    float scale_x = 1, scale_y = 1, offset_x = 0, offset_y = 0;
};

// Thread-bound; allocates nothing after construction.
class Decoder {
  public:
    virtual ~Decoder() = default;
    // outputs: [heatmap (1, K, h, w)] or [heatmap, locref (1, 2K, h, w)] with channel 2k = x, 2k + 1 = y.
    virtual void run(std::span<const TensorView> outputs, const DecodeAffine& affine,
                     PoseView pose) noexcept = 0;
};

// x = (col + 0.5) * stride + locref_x * locref_stdev, likewise y; the cell is the first maximum in row-major
// order (the convention that DeepLabCut's decoders share), NaN cells ignored; likelihood =
// activation(maximum). A map whose maximum is not finite (all NaN, or an overflow), or whose locref there is
// not, gives NaN, NaN, 0; so does every keypoint when the outputs have another shape than the spec. Throws
// ConfigError.
[[nodiscard]] std::unique_ptr<Decoder> make_heatmap_decoder(const HeatmapDecoderSpec& spec);

}  // namespace fastpose
