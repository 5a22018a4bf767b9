// Keeps what the decoder of boxes says.
#include "engine/box_finder.h"

#include <utility>

#include "base/check.h"
#include "base/error.h"

namespace fastpose {

BoxFinder::BoxFinder(std::shared_ptr<BoxDecoder> boxes, int most) : decoder_(std::move(boxes)) {
    if (!decoder_) throw ConfigError("a finder of boxes has no decoder");
    require_at_least("most", most, 1);
    boxes_.resize(static_cast<std::size_t>(most));
}

void BoxFinder::run(std::span<const TensorView> outputs, const DecodeAffine& affine, PoseView) noexcept {
    count_ = static_cast<std::size_t>(decoder_->run(outputs, affine, boxes_));
}

}  // namespace fastpose
