// See Note [Replay].
#include "engine/replay.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include "base/check.h"
#include "engine/edge_record.h"
#include "engine/logical_clock.h"
#include "engine/no_estimator.h"
#include "engine/replay_guide.h"

namespace fastpose {
namespace {

constexpr std::int64_t never_ns = GuardedLine::never_ns;

// Stands where a line was: a write returns when the guide says so.
class ReplayLine final : public OutputDriver {
  public:
    ReplayLine(std::string name, std::function<std::int64_t()> safe_ns)
        : name_(std::move(name)), safe_ns_(std::move(safe_ns)) {}

    void returns_at(std::int64_t time_ns) noexcept { returns_ns_ = time_ns; }

    bool write(bool) noexcept override {
        logical_clock.once_ns = returns_ns_ == 0 ? safe_ns_() : std::exchange(returns_ns_, 0);
        return true;
    }
    bool analogue() const override { return true; }  // what the output cannot do was refused in the session
    bool write_value(float) noexcept override { return write(true); }
    std::int64_t ramp_step_ns() const override { return never_ns; }  // of a ramp only its end is told
    std::string description() const override { return "replay of " + name_; }

  private:
    std::string name_;
    std::function<std::int64_t()> safe_ns_;  // when it was written as the outputs went safe; 0: it was not
    std::int64_t returns_ns_ = 0;            // of the next write; 0: nobody said so
};

// Lets the clock go on to `decided_ns` when the protocol has decided.
class TimedProtocol final : public Protocol {
  public:
    explicit TimedProtocol(std::shared_ptr<Protocol> protocol) : protocol_(std::move(protocol)) {}

    void decides_at(std::int64_t time_ns) noexcept { decided_ns_ = time_ns; }

    void step(const ProtocolInput& input, Decision& decision) noexcept override {
        if (protocol_) protocol_->step(input, decision);
        logical_clock.now_ns = decided_ns_;
    }
    void reset() noexcept override {
        if (protocol_) protocol_->reset();
    }
    std::int64_t next_wakeup_ns() const noexcept override {
        return protocol_ ? protocol_->next_wakeup_ns() : never_ns;
    }
    void advance(std::int64_t now_ns, Decision& decision) noexcept override {
        protocol_->advance(now_ns, decision);
    }

  private:
    std::shared_ptr<Protocol> protocol_;
    std::int64_t decided_ns_ = 0;
};

// A state that the protocol was in, or a trial; its stamp is the time it was due, see Note [Protocol time].
bool is_of_protocol(const EventRecord& event) noexcept {
    return event.kind == static_cast<std::int32_t>(EventKind::state) ||
           event.kind == static_cast<std::int32_t>(EventKind::trial);
}

bool is_kept(const EventRecord& event) noexcept {
    return event.kind == static_cast<std::int32_t>(EventKind::kept);
}

FrameMeta meta_of(const FrameRecord& recorded) noexcept {
    FrameMeta meta;
    meta.frame_id = recorded.frame_id;
    meta.camera_counter = recorded.camera_counter;
    meta.camera_timestamp_ns = recorded.camera_timestamp_ns;
    meta.exposure_start_ns = recorded.exposure_start_ns;
    meta.received_ns = recorded.received_ns;
    meta.flags = recorded.flags;
    return meta;
}

std::int64_t first_time_ns(const ReplayRecord& record) noexcept {
    std::int64_t first_ns = std::numeric_limits<std::int64_t>::max();
    if (!record.frames.empty()) first_ns = record.frames.front().exposure_start_ns;
    if (!record.inputs.empty()) first_ns = std::min(first_ns, record.inputs.front().time_ns);
    return first_ns - 1;
}

class Session final : public CommandObserver {
  public:
    Session(ReplayParts parts, const ReplayRecord& record)
        : record_(record),
          camera_(parts.camera),
          seen_(std::move(parts.seen)),
          rules_(seen_.size()),
          sink_(parts.individuals, parts.bodyparts) {
        logical_clock = {first_time_ns(record), 0};
        open_lines(parts.lines);
        if (!record.guide.empty()) guide_.emplace(record.guide, static_cast<int>(lines_.size()));
        protocol_ = std::make_shared<TimedProtocol>(std::move(parts.protocol));
        pipeline_.emplace(parts_for(std::move(parts)), &sink_, nullptr);
        check();
    }

    Replayed run() {
        pipeline_->warm_up();
        for (std::size_t i = 0; i < record_.frames.size(); ++i) process(i);
        until_ns_ = never_ns;
        wake_until(last_wakeup_ns());
        inputs_until(std::numeric_limits<std::int64_t>::max());
        return std::move(replayed_);
    }

    // A command goes out when it did in the session; what was due by then has ended.
    void before(const OutputCommand& command, const FrameRecord& record) noexcept override {
        prepare(command, record.frame_id, record.frame_id >= 0 ? record.decided_ns : wakeup_ns_);
    }

  private:
    void open_lines(std::vector<OutputLine>& lines) {
        if (lines.empty()) return;
        for (std::size_t i = 0; i < lines.size(); ++i) {
            lines_.push_back(std::make_shared<ReplayLine>(
                lines[i].name, [this, i] { return safe_ns(static_cast<int>(i)); }));
            lines[i].driver = lines_.back();
        }
        interlock_ = std::make_shared<Interlock>(
            std::move(lines),
            InterlockOptions{.now = read_logical_clock, .start_timer = false, .timer_thread = {}});
        interlock_->arm();
        InterlockEvent before_the_start;
        while (interlock_->poll_event(before_the_start)) {
        }
    }

    PipelineParts parts_for(ReplayParts&& parts) {
        return {.estimator = std::make_shared<NoEstimator>(parts.work_ns),
                .identity = nullptr,
                .filter = std::move(parts.filter),
                .rules = std::move(parts.rules),
                .rule_ids = std::move(parts.rule_ids),
                .protocol = protocol_,
                .interlock = interlock_,
                .individuals = parts.individuals,
                .bodyparts = parts.bodyparts,
                .now = read_logical_clock,
                .observer = this};
    }

    void check() const {
        const std::size_t values = record_.frames.size() * 3 * static_cast<std::size_t>(keypoints());
        if (record_.raw.size() == values) return;
        throw ConfigError("a replay of " + std::to_string(record_.frames.size()) + " frames got " +
                          std::to_string(record_.raw.size()) +
                          " values of poses; allowed: " + std::to_string(values));
    }

    [[nodiscard]] int keypoints() const noexcept {
        return pipeline_->parts().individuals * pipeline_->parts().bodyparts;
    }

    void process(std::size_t index) {
        const FrameRecord& recorded = record_.frames[index];
        until_ns_ = recorded.decided_ns;
        wake_until(recorded.filtered_ns);
        inputs_until(recorded.filtered_ns);
        until_ns_ = index + 1 < record_.frames.size() ? record_.frames[index + 1].filtered_ns : never_ns;
        FrameRecord record{};
        record.dequeued_ns = recorded.dequeued_ns;
        record.flags = recorded.flags;
        pipeline_->begin(meta_of(recorded), record);
        take_pose(index);
        logical_clock.now_ns = recorded.filtered_ns;
        protocol_->decides_at(recorded.decided_ns);
        pipeline_->track(true, record);
        pipeline_->react(record, seen_by_protocol(recorded.decided_ns));
        pipeline_->finish(record);
        note_edges();
        take_filtered();
    }

    // Note [One protocol] of set_pipeline.h: rules of all cameras of a set are there before it decides.
    [[nodiscard]] std::span<const std::uint8_t> seen_by_protocol(std::int64_t decided_ns) noexcept {
        if (seen_.empty()) return pipeline_->rule_values();
        for (; next_other_ < record_.others.size(); ++next_other_) {
            const EventRecord& edge = record_.others[next_other_];
            if (edge.stamp_ns > decided_ns) break;
            see(edge.source, edge.value != 0);
        }
        const auto own = pipeline_->rule_values();
        for (std::size_t i = 0; i < own.size(); ++i) see(pipeline_->rule_id(i), own[i] != 0);
        return rules_;
    }

    void see(int rule, bool value) noexcept {
        const auto at = std::find(seen_.begin(), seen_.end(), rule) - seen_.begin();
        if (at < static_cast<std::ptrdiff_t>(rules_.size()))
            rules_[static_cast<std::size_t>(at)] = value ? 1 : 0;
    }

    // Until when the loop went on after the last frame: the last thing that it did for no frame.
    [[nodiscard]] std::int64_t last_wakeup_ns() const noexcept {
        std::int64_t last_ns = 0;
        if (record_.guide.empty() && !record_.inputs.empty()) last_ns = record_.inputs.back().time_ns;
        for (const EventRecord& event : record_.guide)
            if (event.frame_id < 0 && is_of_protocol(event)) last_ns = std::max(last_ns, event.stamp_ns);
        return last_ns;
    }

    // The timers of the protocol, each at the time it was set for.
    void wake_until(std::int64_t time_ns) noexcept {
        for (;;) {
            wakeup_ns_ = pipeline_->next_wakeup_ns();
            if (wakeup_ns_ > time_ns || pipeline_->protocol_finished()) return;
            inputs_until(wakeup_ns_);
            logical_clock.now_ns = wakeup_ns_;
            pipeline_->wake(wakeup_ns_);
            note_edges();
        }
    }

    void take_pose(std::size_t index) noexcept {
        const std::size_t values = 3 * static_cast<std::size_t>(keypoints());
        std::memcpy(pipeline_->raw().keypoints, record_.raw.data() + index * values, values * sizeof(float));
    }

    void take_filtered() {
        FrameRecord frame;
        while (sink_.frames.pop(&frame)) {
        }
        const PoseView filtered = pipeline_->filtered();
        const auto* values = reinterpret_cast<const float*>(filtered.keypoints);
        replayed_.filtered.insert(replayed_.filtered.end(), values, values + 3 * filtered.size());
        pose_.resize(sink_.poses.record_bytes());
        while (sink_.poses.pop(pose_.data())) {
        }
    }

    // --- lines ---

    void inputs_until(std::int64_t time_ns) noexcept {
        while (next_input_ < record_.inputs.size() && record_.inputs[next_input_].time_ns <= time_ns)
            take_input(record_.inputs[next_input_++]);
    }

    void take_input(const ReplayInput& input) noexcept {
        if (!interlock_) return;
        end_due(input.time_ns, -1);
        logical_clock.now_ns = input.time_ns;
        if (input.kind == ReplayInput::Kind::safe) go_safe(input.time_ns);
        if (input.kind == ReplayInput::Kind::arm) interlock_->arm();
        if (input.kind == ReplayInput::Kind::command) command(input);
        note_edges();
    }

    // Its time is that of its edge.
    void command(const ReplayInput& input) noexcept {
        const int line = input.command.output;
        if (line < 0 || line >= interlock_->size()) return;
        lines_[static_cast<std::size_t>(line)]->returns_at(input.time_ns);
        if (guide_) guide_->pass(line, input.time_ns);
        interlock_->apply(input.command, EdgeCause::user);
        lines_[static_cast<std::size_t>(line)]->returns_at(0);
    }

    void go_safe(std::int64_t time_ns) noexcept {
        const std::int64_t until_ns = std::exchange(until_ns_, never_ns);
        for (int i = 0; guide_ && i < interlock_->size(); ++i) end_of_this_moment(i);
        for (const auto& line : lines_) line->returns_at(0);
        logical_clock.now_ns = time_ns;
        interlock_->to_safe();
        until_ns_ = until_ns;
    }

    // Sets clock and line for a command that was decided at `time_ns`.
    void prepare(const OutputCommand& command, std::int64_t frame_id, std::int64_t time_ns) noexcept {
        logical_clock.now_ns = time_ns;
        if (command.output < 0 || command.output >= interlock_->size()) return inputs_until(time_ns);
        ReplayLine& line = *lines_[static_cast<std::size_t>(command.output)];
        line.returns_at(0);
        const bool high =
            command.action != Action::off && (command.action != Action::level || command.value != 0);
        const EventRecord* recorded =
            guide_ ? guide_->command(command.output, frame_id, high, time_ns, until_ns_) : nullptr;
        if (recorded == nullptr) return prepare_unseen(command.output, high, time_ns);
        const std::int64_t stamp_ns = recorded->stamp_ns;
        const bool fell = recorded->kind == static_cast<std::int32_t>(EventKind::output) && !high;
        guide_->take_command(command.output);
        inputs_until(stamp_ns);
        end_due(stamp_ns, command.output, fell);
        if (recorded->kind == static_cast<std::int32_t>(EventKind::output))
            guide_->pass(command.output, stamp_ns);
        logical_clock.now_ns = stamp_ns;
        if (recorded->kind != static_cast<std::int32_t>(EventKind::refused)) line.returns_at(stamp_ns);
    }

    // A command that the record has nothing of: the outputs were armed, and a line that was told to fall was
    // low.
    void prepare_unseen(int line, bool high, std::int64_t time_ns) noexcept {
        inputs_until(time_ns);
        if (guide_ && !interlock_->armed() && next_input_ < record_.inputs.size() &&
            record_.inputs[next_input_].kind == ReplayInput::Kind::arm)
            take_input(record_.inputs[next_input_++]);  // it told a later edge, and came before this
        end_due(time_ns, line, guide_ && !high && !interlock_->line(line).high());
        if (guide_ && !high) end_of_this_moment(line);
        logical_clock.now_ns = time_ns;
    }

    // Ends what ended before `time_ns`, when a command for `asking` comes. `keeps`: that line did nothing by
    // itself.
    void end_due(std::int64_t time_ns, int asking, bool keeps = false) noexcept {
        for (;;) {
            const int line = next_to_end(time_ns, asking, keeps);
            if (line < 0) return;
            end(line, deadline_ns(line));
        }
    }

    // The line's end is in the record, though what comes now was decided before it.
    void end_of_this_moment(int line) noexcept {
        const std::int64_t due_ns = deadline_ns(line);
        if (interlock_->line(line).high() && guide_->ends_by_itself(line, until_ns_)) end(line, due_ns);
    }

    [[nodiscard]] int next_to_end(std::int64_t time_ns, int asking, bool keeps) noexcept {
        int found = -1;
        for (int i = 0; interlock_ && i < interlock_->size(); ++i) {
            const std::int64_t due_ns = deadline_ns(i);
            if (due_ns > time_ns || ended_ns(i) > time_ns) continue;
            if (i == asking && keeps && !guide_->ends_by_itself(i, time_ns)) continue;
            if (found < 0 || due_ns < deadline_ns(found)) found = i;
        }
        return found;
    }

    void end(int line, std::int64_t due_ns) noexcept {
        const std::int64_t ended = ended_ns(line);
        if (guide_) {
            replayed_.latest_end_ns = std::max(replayed_.latest_end_ns, ended - due_ns);
            guide_->pass(line, ended);
        }
        ReplayLine& mine = *lines_[static_cast<std::size_t>(line)];
        mine.returns_at(ended);
        logical_clock.now_ns = due_ns;
        interlock_->end_line(line);
        note_edges(ended);
        mine.returns_at(0);
    }

    // When the line was written as the outputs went safe; 0: the record does not tell.
    [[nodiscard]] std::int64_t safe_ns(int line) noexcept {
        if (!guide_ || is_safe(interlock_->line(line))) return 0;
        const std::int64_t stamp_ns = guide_->safe_ns(line, logical_clock.now_ns, until_ns_);
        if (stamp_ns != 0) guide_->pass(line, stamp_ns);
        return stamp_ns;
    }

    [[nodiscard]] static bool is_safe(const GuardedLine& line) noexcept {
        return line.high() == line.line().limits.safe_high;
    }

    [[nodiscard]] std::int64_t deadline_ns(int line) const noexcept {
        return interlock_->line(line).deadline_ns();
    }

    // When the line's present command ended, or would end.
    [[nodiscard]] std::int64_t ended_ns(int line) noexcept {
        const std::int64_t due_ns = deadline_ns(line);
        if (!guide_ || due_ns == never_ns) return due_ns;
        return guide_->end_ns(line, due_ns);
    }

    // `refused_ns`: when a pulse of a train was refused, as nothing was written that could tell.
    void note_edges(std::int64_t refused_ns = 0) noexcept {
        InterlockEvent event;
        while (interlock_ && interlock_->poll_event(event)) {
            if (refused_ns != 0 && event.refused) event.stamp_ns = refused_ns;
            replayed_.events.push_back(event_record_of(event));
        }
        EventRecord record;
        while (sink_.events.pop(&record)) {
            if (is_kept(record)) continue;
            record.camera = camera_;
            replayed_.events.push_back(record);
        }
    }

    ReplayRecord record_;
    std::int32_t camera_;
    std::vector<int> seen_;
    std::vector<std::uint8_t> rules_;  // their values
    std::size_t next_other_ = 0;
    PipelineSink sink_;
    std::vector<std::shared_ptr<ReplayLine>> lines_;
    std::shared_ptr<Interlock> interlock_;
    std::optional<ReplayGuide> guide_;
    std::shared_ptr<TimedProtocol> protocol_;
    std::optional<Pipeline> pipeline_;
    std::size_t next_input_ = 0;
    std::int64_t wakeup_ns_ = 0;
    std::int64_t until_ns_ = never_ns;  // by then what is decided now was carried out
    std::vector<std::byte> pose_;
    Replayed replayed_;
};

}  // namespace

Replayed replay(ReplayParts parts, const ReplayRecord& record) {
    return Session(std::move(parts), record).run();
}

}  // namespace fastpose
