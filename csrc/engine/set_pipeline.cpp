// See Note [One protocol].
#include "engine/set_pipeline.h"

#include <algorithm>

#include "base/error.h"

namespace fastpose {
namespace {

bool has_protocol(const std::unique_ptr<Pipeline>& pipeline) { return pipeline->parts().protocol != nullptr; }

void check(const SetPipelineParts& parts) {
    const auto& pipelines = parts.pipelines;
    if (pipelines.empty()) throw ConfigError("a loop needs at least one pipeline");
    if (std::count_if(pipelines.begin(), pipelines.end(), has_protocol) > 1)
        throw ConfigError("several pipelines of a set have a protocol; allowed: one");
    if (parts.batch && parts.batch->rows() != static_cast<int>(pipelines.size()))
        throw ConfigError("a batch of " + std::to_string(parts.batch->rows()) + " rows for " +
                          std::to_string(pipelines.size()) + " cameras; allowed: one each");
}

}  // namespace

SetPipeline::SetPipeline(SetPipelineParts parts, bool reads_all) : parts_(std::move(parts)) {
    check(parts_);
    const auto& pipelines = parts_.pipelines;
    const auto found = std::find_if(pipelines.begin(), pipelines.end(), has_protocol);
    if (found != pipelines.end()) acting_ = static_cast<std::size_t>(found - pipelines.begin());
    reads_all_ = reads_all && size() > 1;
    estimated_.resize(size());
    items_.resize(size());
    std::size_t rules = 0;
    for (const auto& pipeline : pipelines) rules += pipeline->rule_values().size();
    rules_.resize(rules);
}

std::int64_t SetPipeline::warm_up() noexcept {
    std::int64_t work_ns = 0;
    if (parts_.batch) {
        work_ns = parts_.batch->warm_up();
        for (const auto& pipeline : parts_.pipelines) pipeline->expect_work(work_ns);
    } else {
        for (const auto& pipeline : parts_.pipelines) work_ns += pipeline->warm_up();
    }
    return work_ns;
}

void SetPipeline::process(std::span<SetFrame> frames) noexcept {
    if (parts_.batch || reads_all_)
        together(frames);
    else
        one_by_one(frames);
}

void SetPipeline::one_by_one(std::span<SetFrame> frames) noexcept {
    const std::size_t n = size();
    for (std::size_t k = 0; k < n; ++k) {
        const std::size_t i = (acting_ + k) % n;
        SetFrame& frame = frames[i];
        if (frame.meta != nullptr) pipeline(i).process(frame.view, *frame.meta, frame.record);
    }
}

void SetPipeline::together(std::span<SetFrame> frames) noexcept {
    for (std::size_t i = 0; i < size(); ++i)
        if (frames[i].meta != nullptr) pipeline(i).begin(*frames[i].meta, frames[i].record);
    if (parts_.batch)
        estimate_batch(frames);
    else
        estimate(frames);
    for (std::size_t i = 0; i < size(); ++i)
        if (frames[i].meta != nullptr) pipeline(i).track(estimated_[i] != 0, frames[i].record);
    gather_rules();
    for (std::size_t k = 0; k < size(); ++k) {
        const std::size_t i = (acting_ + k) % size();
        if (frames[i].meta == nullptr) continue;
        pipeline(i).react(frames[i].record, seen_by_protocol());
        pipeline(i).finish(frames[i].record);
    }
}

void SetPipeline::estimate(std::span<SetFrame> frames) noexcept {
    for (std::size_t i = 0; i < size(); ++i)
        if (frames[i].meta != nullptr)
            estimated_[i] = pipeline(i).estimate(frames[i].view, frames[i].record) ? 1 : 0;
}

void SetPipeline::estimate_batch(std::span<SetFrame> frames) noexcept {
    bool any = false;
    for (std::size_t i = 0; i < size(); ++i) {
        SetFrame& frame = frames[i];
        const bool usable = frame.meta != nullptr && (frame.record.flags & frame_unreadable) == 0;
        items_[i] = usable ? BatchItem{&frame.view, &frame.record, pipeline(i).raw()} : BatchItem{};
        estimated_[i] = usable ? 1 : 0;
        any = any || usable;
    }
    if (!any || parts_.batch->run(items_)) return;
    for (std::size_t i = 0; i < size(); ++i)
        if (estimated_[i] != 0)
            estimated_[i] = pipeline(i).note_failure(frames[i].record, parts_.batch->last_error()) ? 1 : 0;
}

std::span<const std::uint8_t> SetPipeline::seen_by_protocol() const noexcept {
    return reads_all_ ? std::span<const std::uint8_t>(rules_) : pipeline(acting_).rule_values();
}

void SetPipeline::gather_rules() noexcept {
    auto at = rules_.begin();
    for (const auto& pipeline : parts_.pipelines)
        at = std::copy(pipeline->rule_values().begin(), pipeline->rule_values().end(), at);
}

}  // namespace fastpose
