// From the network's maps to keypoints in full-frame sensor pixels.
#pragma once
#include <memory>
#include <span>
#include <string_view>

#include "base/tensor.h"
#include "pose/pose.h"

namespace fastpose {

enum class ScoreActivation : int { none = 0, sigmoid = 1, clip = 2 };
// Throws ConfigError for an unknown name.
[[nodiscard]] ScoreActivation activation_from(std::string_view name);

struct HeatmapDecoderSpec {
    int bodyparts = 0;
    int map_height = 0, map_width = 0;  // cells
    float stride = 8;                   // tensor px per cell
    float locref_stdev = 7.2801F;       // 0: the network has no locref
    ScoreActivation activation = ScoreActivation::sigmoid;
};

// The network classifies each coordinate (SimCC, RTMPose): one row of bins per bodypart and axis.
struct SimccDecoderSpec {
    int bodyparts = 0;
    int bins_x = 0, bins_y = 0;
    float split_ratio = 2;  // bins per tensor px
    float temperature = 1;  // the logits are multiplied by it before the softmax
    bool softmax = true;    // false: the maximum itself is the likelihood
};

// The network gives keypoints itself.
struct PointsDecoderSpec {
    int bodyparts = 0;
    ScoreActivation activation = ScoreActivation::none;
};

// The weighted mean of the cells around the maximum (SLEAP's integral refinement).
struct SoftWindowSpec {
    int bodyparts = 0;
    int map_height = 0, map_width = 0;  // cells
    float stride = 1;                   // tensor px per cell
    int size = 5;                       // side of the window, odd; 1: the maximum's own cell
    float min_score = 0.2F;             // a maximum below is missing
};

// The mean under a softmax of the whole map, enlarged (Lightning Pose).
struct SoftmaxSpec {
    int bodyparts = 0;
    int map_height = 0, map_width = 0;  // cells
    float stride = 4;                   // tensor px per cell
    int upsampling = 2;                 // times that the map is made twice as large
    float temperature = 1000;
    int radius = 2;      // px of the enlarged map: the likelihood is the mass of the square around the mean
    float shift = 1.5F;  // px of the enlarged map, taken off the mean
};

struct DecodeAffine {  // tensor px -> sensor px
    float scale_x = 1, scale_y = 1, offset_x = 0, offset_y = 0;
};

// Thread-bound; allocates nothing after construction.
class Decoder {
  public:
    virtual ~Decoder() = default;
    // outputs: what the factory of the decoder says, of one image; individuals beyond what they hold become
    // missing (NaN, NaN, 0).
    virtual void run(std::span<const TensorView> outputs, const DecodeAffine& affine,
                     PoseView pose) noexcept = 0;
};

// outputs: [heatmap (1, K, h, w)] or [heatmap, locref (1, 2K, h, w)] with channel 2k = x, 2k + 1 = y.
// x = (col + 0.5) * stride + locref_x * locref_stdev, likewise y; the cell is the first maximum in row-major
// order (the convention that DeepLabCut's decoders share), NaN cells ignored; likelihood =
// activation(maximum). A map whose maximum is not finite (all NaN, or an overflow), or whose locref there is
// not, gives NaN, NaN, 0; so does every keypoint when the outputs have another shape than the spec. Throws
// ConfigError.
[[nodiscard]] std::unique_ptr<Decoder> make_heatmap_decoder(const HeatmapDecoderSpec& spec);

// outputs: [x (1, 1, K, bins_x), y (1, 1, K, bins_y)].
// x = first maximum / split_ratio, likelihood = the lower one of the two axes' maxima after the softmax.
// Where it is no more than chance (1 / bins_x; without a softmax 0), as where a maximum is not finite: NaN,
// NaN, 0. Throws ConfigError.
[[nodiscard]] std::unique_ptr<Decoder> make_simcc_decoder(const SimccDecoderSpec& spec);

// outputs: [points (1, N, K, 3)]: x, y in tensor px, score, of N individuals; NaN is missing. Throws
// ConfigError.
[[nodiscard]] std::unique_ptr<Decoder> make_points_decoder(const PointsDecoderSpec& spec);

// outputs: [heatmap (1, K, h, w)]. x = (col + mean offset within the window) * stride, without half a cell;
// likelihood = the maximum as it is. Cells beyond the map count as 0. Throws ConfigError.
[[nodiscard]] std::unique_ptr<Decoder> make_soft_window_decoder(const SoftWindowSpec& spec);

// outputs: [heatmap (1, K, h, w)]. x = (mean column - shift) * stride / 2^upsampling; a map with a cell that
// is not finite is missing. Throws ConfigError.
[[nodiscard]] std::unique_ptr<Decoder> make_softmax_decoder(const SoftmaxSpec& spec);

}  // namespace fastpose
