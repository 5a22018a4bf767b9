// A detector's boxes out of a graph that gives poses: its maps are decoded on the host, into boxes.
#pragma once
#include <memory>
#include <span>
#include <vector>

#include "decode/box_decoder.h"

namespace fastpose {

// Thread-bound; run() leaves the pose as it is.
class BoxFinder final : public Decoder {
  public:
    // most: boxes that are kept. Throws ConfigError.
    BoxFinder(std::shared_ptr<BoxDecoder> boxes, int most);

    void run(std::span<const TensorView> outputs, const DecodeAffine& affine,
             PoseView pose) noexcept override;
    // Of the last run, best first.
    [[nodiscard]] std::span<const Box> found() const noexcept { return std::span(boxes_).first(count_); }

  private:
    std::shared_ptr<BoxDecoder> decoder_;
    std::vector<Box> boxes_;
    std::size_t count_ = 0;
};

}  // namespace fastpose
