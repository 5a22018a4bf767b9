// Preprocess, network, decode.
#include "engine/single_stage.h"

#include <string>

#include "base/clock.h"
#include "base/error.h"

namespace fastpose {

void require_same_format(TensorFormat written, Backend& backend) {
    const TensorFormat wanted = backend.input().format;
    if (written == wanted) return;
    throw ConfigError("preprocess writes " + text_of(written) + "; allowed: what the network takes, " +
                      text_of(wanted));
}

SingleStage::SingleStage(StageParts parts) : parts_(std::move(parts)) {
    if (!parts_.preprocessor || !parts_.backend || !parts_.decoder)
        throw ConfigError("an estimator needs a preprocessor, a backend and a decoder");
    require_same_format(parts_.preprocessor->format(), *parts_.backend);
}

bool SingleStage::run(const FrameView& frame, FrameRecord& record, PoseView pose) noexcept {
    parts_.preprocessor->run(frame, parts_.backend->input().data);
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
