// Preprocess, network, decode.
#include "engine/single_stage.h"

#include "base/clock.h"
#include "base/error.h"

namespace fastpose {

SingleStage::SingleStage(StageParts parts) : parts_(std::move(parts)) {
    if (!parts_.preprocessor || !parts_.backend || !parts_.decoder)
        throw ConfigError("an estimator needs a preprocessor, a backend and a decoder");
}

bool SingleStage::run(const FrameView& frame, FrameRecord& record, PoseView pose) noexcept {
    parts_.preprocessor->run(frame, parts_.backend->input());
    record.preprocessed_ns = now_ns();
    const bool good = parts_.backend->run();
    record.inferred_ns = now_ns();
    if (!good) return false;
    parts_.decoder->run(parts_.backend->outputs(), affine_of(parts_.preprocessor->tensor_to_sensor()), pose);
    record.decoded_ns = now_ns();
    return true;
}

std::shared_ptr<Estimator> make_single_stage(StageParts parts) {
    return std::make_shared<SingleStage>(std::move(parts));
}

}  // namespace fastpose
