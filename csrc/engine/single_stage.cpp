// Preprocess, network, decode.
#include "engine/single_stage.h"

#include <algorithm>
#include <limits>
#include <string>

#include "base/clock.h"
#include "base/error.h"

namespace fastpose {
namespace {

constexpr int warm_up_runs = 5;
constexpr std::int64_t warm_up_time_ns = 100'000'000;  // a slow network is warm after one run

}  // namespace

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

std::int64_t warm_up_ns(Backend& backend) noexcept {
    const std::int64_t start = now_ns();
    std::int64_t shortest = std::numeric_limits<std::int64_t>::max();
    for (int i = 0; i < warm_up_runs && (i == 0 || now_ns() - start < warm_up_time_ns); ++i) {
        const std::int64_t begin = now_ns();
        backend.warm_up();
        shortest = std::min(shortest, now_ns() - begin);
    }
    return shortest;
}

std::int64_t SingleStage::warm_up() noexcept { return warm_up_ns(*parts_.backend); }

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
