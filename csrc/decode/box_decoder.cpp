// Both kinds keep the best few in order as they go.
#include "decode/box_decoder.h"

#include "base/check.h"
#include "decode/keypoint.h"

namespace fastpose {
namespace {

// The best boxes so far, best first; of equal ones the earlier.
class Best {
  public:
    explicit Best(std::span<Box> boxes) noexcept : boxes_(boxes) {}

    void add(const Box& box) noexcept {
        const auto begin = boxes_.begin(), end = begin + count_;
        const auto place =
            std::upper_bound(begin, end, box, [](const Box& a, const Box& b) { return a.score > b.score; });
        if (place == boxes_.end()) return;
        const auto last = static_cast<std::size_t>(count_) < boxes_.size() ? end : end - 1;
        std::move_backward(place, last, last + 1);
        *place = box;
        count_ += last == end ? 1 : 0;
    }
    [[nodiscard]] int count() const noexcept { return count_; }

  private:
    std::span<Box> boxes_;
    int count_ = 0;
};

class DetectedBoxes final : public BoxDecoder {
  public:
    explicit DetectedBoxes(const BoxDecoderSpec& spec) : spec_(spec) {}

    [[nodiscard]] int run(std::span<const TensorView> outputs, const DecodeAffine& affine,
                          std::span<Box> boxes) noexcept override {
        if (outputs.size() < 2 || outputs[0].shape[3] != 4) return 0;
        const int found = outputs[0].shape[2];
        if (outputs[1].size() != static_cast<std::size_t>(found)) return 0;
        Best best(boxes);
        for (int i = 0; i < found; ++i) {
            const float score = outputs[1].data[i];
            const Box box = on_frame(outputs[0].data + 4 * static_cast<std::size_t>(i), score, affine);
            if (score >= spec_.min_score && has_area(box)) best.add(box);
        }
        return best.count();
    }

  private:
    static Box on_frame(const float* edges, float score, const DecodeAffine& affine) noexcept {
        return {edges[0] * affine.scale_x + affine.offset_x, edges[1] * affine.scale_y + affine.offset_y,
                edges[2] * affine.scale_x + affine.offset_x, edges[3] * affine.scale_y + affine.offset_y,
                score};
    }
    static bool has_area(const Box& box) noexcept {
        return box.right > box.left && box.bottom > box.top && std::isfinite(box.right - box.left) &&
               std::isfinite(box.bottom - box.top);
    }

    BoxDecoderSpec spec_;
};

class Centroids final : public BoxDecoder {
  public:
    explicit Centroids(const CentroidDecoderSpec& spec) : spec_(spec) {}

    [[nodiscard]] int run(std::span<const TensorView> outputs, const DecodeAffine& affine,
                          std::span<Box> boxes) noexcept override {
        using Shape = std::array<int, 4>;
        if (outputs.empty() || outputs[0].shape != Shape{1, 1, spec_.map_height, spec_.map_width}) return 0;
        Best best(boxes);
        for (int row = 0; row < spec_.map_height; ++row)
            for (int column = 0; column < spec_.map_width; ++column) {
                const float score = at(outputs[0].data, row, column);
                if (score > spec_.min_score && is_local_peak(outputs[0].data, map_size(), row, column))
                    best.add(box_at(outputs[0].data, row, column, affine));
            }
        return best.count();
    }

  private:
    [[nodiscard]] float at(const float* map, int row, int column) const noexcept {
        return map[static_cast<std::ptrdiff_t>(row) * spec_.map_width + column];
    }

    [[nodiscard]] MapSize map_size() const noexcept { return {spec_.map_height, spec_.map_width}; }

    [[nodiscard]] Box box_at(const float* map, int row, int column,
                             const DecodeAffine& affine) const noexcept {
        const Keypoint place = refined_peak(map, map_size(), row, column, spec_.window);
        const float score = at(map, row, column);
        const Keypoint centre = on_sensor({place.x * spec_.stride, place.y * spec_.stride, score}, affine);
        return {centre.x, centre.y, centre.x, centre.y, score};
    }

    CentroidDecoderSpec spec_;
};

}  // namespace

std::unique_ptr<BoxDecoder> make_box_decoder(const BoxDecoderSpec& spec) {
    require_between("detector.min_score", static_cast<double>(spec.min_score), 0, 1);
    return std::make_unique<DetectedBoxes>(spec);
}

std::unique_ptr<BoxDecoder> make_centroid_decoder(const CentroidDecoderSpec& spec) {
    require_between("detector.min_score", static_cast<double>(spec.min_score), 0, 1);
    require_at_least("detector.map_height", spec.map_height, 1);
    require_at_least("detector.map_width", spec.map_width, 1);
    require_above("detector.stride", static_cast<double>(spec.stride), 0);
    return std::make_unique<Centroids>(spec);
}

}  // namespace fastpose
