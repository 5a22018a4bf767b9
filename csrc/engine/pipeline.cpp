// The stages in the order of the data path; each stamps the record when it is done.
#include "engine/pipeline.h"

#include <cmath>

#include "base/error.h"
#include "engine/frame_record.h"

namespace fastpose {
namespace {

void check(const PipelineParts& parts) {
    if (!parts.estimator) throw ConfigError("a pipeline needs an estimator");
    if (parts.rules.size() > Pipeline::max_rules)
        throw ConfigError(std::to_string(parts.rules.size()) + " rules: allowed are at most " +
                          std::to_string(Pipeline::max_rules));
    if (!parts.rule_ids.empty() && parts.rule_ids.size() != parts.rules.size())
        throw ConfigError(std::to_string(parts.rule_ids.size()) + " rule_ids for " +
                          std::to_string(parts.rules.size()) + " rules: allowed is one each, or none");
    for (const int id : parts.rule_ids)
        if (id < 0 || id >= static_cast<int>(Pipeline::max_rules))
            throw ConfigError("rule_ids has " + std::to_string(id) + ": allowed are 0 to " +
                              std::to_string(Pipeline::max_rules - 1));
    if (parts.individuals < 1 || parts.bodyparts < 1)
        throw ConfigError("individuals = " + std::to_string(parts.individuals) +
                          ", bodyparts = " + std::to_string(parts.bodyparts) + ": allowed is at least 1");
    if (parts.identity && parts.identity->size() != parts.individuals * parts.bodyparts)
        throw ConfigError("the identity was made for " + std::to_string(parts.identity->size()) +
                          " keypoints; allowed: the " + std::to_string(parts.individuals * parts.bodyparts) +
                          " of the pose");
}

void copy_roi(const Roi& roi, FrameRecord& record) noexcept {
    record.roi_x = roi.x;
    record.roi_y = roi.y;
    record.roi_width = roi.width;
    record.roi_height = roi.height;
}

}  // namespace

Pipeline::Pipeline(PipelineParts parts, PipelineSink* sink, FaultSlot* faults)
    : parts_(std::move(parts)), sink_(sink), faults_(faults), rules_(parts_.rules) {
    check(parts_);
    const auto keypoints =
        static_cast<std::size_t>(parts_.individuals) * static_cast<std::size_t>(parts_.bodyparts);
    raw_.resize(keypoints);
    filtered_.resize(keypoints);
}

void Pipeline::process(const FrameView& frame, const FrameMeta& meta, FrameRecord& record) noexcept {
    begin(meta, record);
    const bool estimated = estimate(frame, record);
    track(estimated, record);
    react(record, rule_values());
    finish(record);
}

std::int64_t Pipeline::warm_up() noexcept {
    const std::int64_t work_ns = parts_.estimator->warm_up();
    expect_work(work_ns);
    return work_ns;
}

void Pipeline::expect_work(std::int64_t work_ns) noexcept {
    expected_work_ns_.store(work_ns, std::memory_order_relaxed);
    if (parts_.filter) parts_.filter->expect_delay(work_ns);
}

void Pipeline::begin(const FrameMeta& meta, FrameRecord& record) noexcept {
    copy_meta(meta, record);
    copy_roi(parts_.estimator->roi(), record);
}

bool Pipeline::estimate(const FrameView& frame, FrameRecord& record) noexcept {
    if ((record.flags & frame_unreadable) != 0) return false;
    if (parts_.estimator->run(frame, record, raw())) return true;
    return note_failure(record, parts_.estimator->last_error());
}

bool Pipeline::note_failure(FrameRecord& record, const char* error) noexcept {
    record.flags |= frame_pose_failed;
    if (faults_ != nullptr) faults_->post(FaultKind::model, error);
    return false;
}

void Pipeline::track(bool estimated, FrameRecord& record) noexcept {
    if (!estimated) make_missing(raw());
    if (parts_.identity) parts_.identity->apply(raw(), record.exposure_start_ns);
    smooth(record);
    update_rules(record);
}

void Pipeline::react(FrameRecord& record, std::span<const std::uint8_t> rules) noexcept {
    const bool has_pose = (record.flags & (frame_pose_failed | frame_unreadable)) == 0;
    if (parts_.interlock && has_pose) parts_.interlock->note_pose();
    wake(record.filtered_ns);
    decide(record, rules);
    act(record);
}

std::int64_t Pipeline::next_wakeup_ns() const noexcept {
    return parts_.protocol ? parts_.protocol->next_wakeup_ns() : Protocol::never_ns;
}

void Pipeline::wake(std::int64_t now_ns) noexcept {
    FrameRecord none{};
    none.frame_id = -1;
    while (next_wakeup_ns() <= now_ns) {
        decision_.clear();
        parts_.protocol->advance(now_ns, decision_);
        act(none);
    }
}

void Pipeline::finish(const FrameRecord& record) noexcept {
    log(record);
    if (parts_.filter)
        parts_.filter->learn_delay(record.exposure_start_ns, record.decided_ns, record.acted_ns);
    parts_.estimator->follow(filtered());
}

void Pipeline::smooth(FrameRecord& record) noexcept {
    std::copy(raw_.begin(), raw_.end(), filtered_.begin());
    if (parts_.filter) parts_.filter->apply(filtered(), record.exposure_start_ns);
    record.filtered_ns = parts_.now();
}

void Pipeline::update_rules(const FrameRecord& record) noexcept {
    rules_.update(filtered(), record.exposure_start_ns, [&](int rule, bool value) noexcept {
        const int id = rule_id(static_cast<std::size_t>(rule));
        rule_bits_.fetch_xor(std::uint64_t{1} << id, std::memory_order_relaxed);
        note(record, EventKind::rule, id, value ? 1 : 0, 0, record.filtered_ns);
    });
}

void Pipeline::decide(FrameRecord& record, std::span<const std::uint8_t> rules) noexcept {
    decision_.clear();
    if (parts_.protocol)
        parts_.protocol->step(
            {filtered(), rules, record.frame_id, record.exposure_start_ns, record.filtered_ns}, decision_);
    record.decided_ns = parts_.now();
}

void Pipeline::act(FrameRecord& record) noexcept {
    for (int i = 0; i < decision_.count; ++i)
        carry_out(decision_.commands[static_cast<std::size_t>(i)], record);
    if (decision_.late) late_.fetch_add(1, std::memory_order_relaxed);
    if (decision_.suppressed_outputs != 0) note_suppressed(record);
    note_states(record);
    if (decision_.finished) end_session();
}

// A protocol that tells its states tells all of them, with their times; of another only the last is seen.
void Pipeline::note_states(const FrameRecord& record) noexcept {
    for (int i = 0; i < decision_.note_count; ++i) {
        const ProtocolNote& told = decision_.notes[static_cast<std::size_t>(i)];
        const bool trial = told.kind == ProtocolNote::Kind::trial;
        note(record, trial ? EventKind::trial : EventKind::state, told.source, told.value, 0, told.stamp_ns);
    }
    if (decision_.note_count == 0 && decision_.state != state_)
        note(record, EventKind::state, 0, decision_.state, 0, record.decided_ns);
    state_ = decision_.state;
}

void Pipeline::end_session() noexcept {
    if (parts_.interlock) parts_.interlock->to_safe();
    protocol_finished_.store(true, std::memory_order_relaxed);
}

void Pipeline::carry_out(const OutputCommand& command, FrameRecord& record) noexcept {
    if (!parts_.interlock) return;
    if (parts_.observer != nullptr) parts_.observer->before(command, record);
    const EdgeResult edge = parts_.interlock->apply(command);
    const int high = edge.high ? 1 : 0;
    const int flags = (decision_.late ? event_late : 0) | (edge.disarmed ? event_safe : 0);
    if (edge.refused) note(record, EventKind::refused, command.output, high, flags, edge.stamp_ns);
    if (edge.kept()) note(record, EventKind::kept, command.output, high, flags, edge.stamp_ns);
    if (edge.changed || edge.valued) record.acted_ns = edge.stamp_ns;
    if (edge.changed) note(record, EventKind::output, command.output, high, flags, edge.stamp_ns);
    if (edge.valued)
        note(record, EventKind::level, command.output, static_cast<int>(std::lround(edge.value * 1000)),
             flags, edge.stamp_ns);
}

void Pipeline::note_suppressed(const FrameRecord& record) noexcept {
    for (int output = 0; output < 64; ++output)
        if ((decision_.suppressed_outputs >> output & 1U) != 0)
            note(record, EventKind::late, output, 1, event_late, record.decided_ns);
}

void Pipeline::log(const FrameRecord& record) noexcept {
    latencies_.exposure_to_decided.add(record.decided_ns - record.exposure_start_ns);
    latencies_.dequeued_to_decided.add(record.decided_ns - record.dequeued_ns);
    if (record.acted_ns != 0) latencies_.exposure_to_acted.add(record.acted_ns - record.exposure_start_ns);
    processed_.fetch_add(1, std::memory_order_relaxed);
    if ((record.flags & frame_unmatched) != 0) unmatched_.fetch_add(1, std::memory_order_relaxed);
    newest_exposure_ns_.store(record.exposure_start_ns, std::memory_order_relaxed);
    if (sink_ == nullptr) return;
    sink_->push_frame(record);
    sink_->push_pose(record.frame_id, raw(), filtered());
}

void Pipeline::note(const FrameRecord& record, EventKind kind, int source, int value, int flags,
                    std::int64_t stamp_ns) noexcept {
    if (sink_ == nullptr) return;
    sink_->push_event({record.frame_id, stamp_ns, record.exposure_start_ns, static_cast<std::int32_t>(kind),
                       source, value, flags, 0, 0});
}

}  // namespace fastpose
