// See Note [Late machine].
#include "engine/late_session.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/check.h"
#include "engine/edge_record.h"
#include "engine/no_estimator.h"
#include "protocol/random.h"

namespace fastpose {
namespace {

constexpr std::int64_t shortest_look_ns = 50, longest_look_ns = 2'000;  // where there is no delay
constexpr double punctual = 0.6;  // how often the timer, or a wake-up, comes when it is due
constexpr std::size_t frames_after_the_end = 3;

struct LateClock {
    std::int64_t now_ns = 0, worst_ns = 0;
    double share = 0;
    Random random{0};

    bool happens(double probability) noexcept { return random.fraction() < probability; }
};
thread_local LateClock late_clock;

std::int64_t read_late_clock() noexcept {
    LateClock& clock = late_clock;
    clock.now_ns += shortest_look_ns + static_cast<std::int64_t>(clock.random.below(longest_look_ns));
    if (clock.worst_ns > 0 && clock.happens(clock.share))
        clock.now_ns +=
            static_cast<std::int64_t>(clock.random.below(static_cast<std::uint64_t>(clock.worst_ns)));
    return clock.now_ns;
}

void check(const LateSpec& spec) {
    require_at_least("worst_ns", static_cast<double>(spec.worst_ns), 0);
    require_between("share", spec.share, 0, 1);
    require_at_least("max_pose_gap_ns", static_cast<double>(spec.max_pose_gap_ns), 0);
}

class Machine final : public CommandObserver {
  public:
    Machine(ReplayParts parts, const ReplayRecord& record, const LateSpec& spec)
        : record_(record), camera_(parts.camera), sink_(parts.individuals, parts.bodyparts) {
        check(spec);
        const std::int64_t start_ns = record.frames.empty() ? 0 : record.frames.front().exposure_start_ns;
        late_clock = {start_ns, spec.worst_ns, spec.share, Random(spec.seed)};
        if (!parts.lines.empty()) open_lines(std::move(parts.lines), spec.max_pose_gap_ns);
        pipeline_.emplace(parts_for(std::move(parts)), &sink_, nullptr);
        values_ = static_cast<std::size_t>(pipeline_->filtered().size()) * 3;
        require_between("values of poses", static_cast<double>(record.raw.size()),
                        static_cast<double>(record.frames.size() * values_),
                        static_cast<double>(record.frames.size() * values_));
    }

    LateSession run() {
        pipeline_->warm_up();
        for (std::size_t i = 0; i < record_.frames.size(); ++i) {
            if (i + frames_after_the_end == record_.frames.size()) end_outputs();
            live_until(record_.frames[i].received_ns);
            if (!is_overtaken(i)) process(i);
        }
        end_outputs();
        note_edges();
        if (const std::int64_t lost = records_lost(); lost > 0)
            throw ConfigError("the machine is so late that " + std::to_string(lost) +
                              " records are lost; allowed: shorter or fewer delays");
        return std::move(session_);
    }

    // Other threads may be at work between two commands.
    void before(const OutputCommand&, const FrameRecord&) noexcept override { others_work(); }

  private:
    void open_lines(std::vector<OutputLine> lines, std::int64_t max_pose_gap_ns) {
        interlock_ = std::make_shared<Interlock>(std::move(lines),
                                                 InterlockOptions{.now = read_late_clock,
                                                                  .start_timer = false,
                                                                  .timer_thread = {},
                                                                  .max_pose_gap_ns = max_pose_gap_ns});
        interlock_->arm();
    }

    PipelineParts parts_for(ReplayParts&& parts) {
        return {.estimator = std::make_shared<NoEstimator>(parts.work_ns),
                .identity = nullptr,
                .filter = std::move(parts.filter),
                .rules = std::move(parts.rules),
                .rule_ids = std::move(parts.rule_ids),
                .protocol = std::move(parts.protocol),
                .interlock = interlock_,
                .individuals = parts.individuals,
                .bodyparts = parts.bodyparts,
                .now = read_late_clock,
                .observer = this};
    }

    // --- the loop ---

    [[nodiscard]] bool is_overtaken(std::size_t index) const noexcept {
        return index + 1 < record_.frames.size() && record_.frames[index + 1].received_ns < late_clock.now_ns;
    }

    void process(std::size_t index) {
        const FrameRecord& given = record_.frames[index];
        FrameMeta meta;
        meta.frame_id = given.frame_id;
        meta.exposure_start_ns = given.exposure_start_ns;
        meta.received_ns = given.received_ns;
        meta.flags = given.flags;
        wake();
        FrameRecord record{};
        record.dequeued_ns = read_late_clock();
        pipeline_->begin(meta, record);
        std::memcpy(pipeline_->raw().keypoints, record_.raw.data() + index * values_,
                    values_ * sizeof(float));
        pipeline_->track(true, record);
        others_work();
        pipeline_->react(record, pipeline_->rule_values());
        pipeline_->finish(record);
        keep(index, record);
    }

    void keep(std::size_t index, const FrameRecord& record) {
        session_.frames.push_back(record);
        session_.places.push_back(static_cast<std::int64_t>(index));
        const PoseView filtered = pipeline_->filtered();
        const auto* values = reinterpret_cast<const float*>(filtered.keypoints);
        session_.filtered.insert(session_.filtered.end(), values, values + values_);
        FrameRecord frame;
        while (sink_.frames.pop(&frame)) {
        }
        pose_.resize(sink_.poses.record_bytes());
        while (sink_.poses.pop(pose_.data())) {
        }
        note_edges();
    }

    void wake() noexcept {
        if (pipeline_->next_wakeup_ns() != Protocol::never_ns) pipeline_->wake(read_late_clock());
    }

    [[nodiscard]] std::int64_t records_lost() const noexcept {
        return sink_.lost() + (interlock_ ? interlock_->events_lost() : 0);
    }

    // --- what goes on meanwhile ---

    void live_until(std::int64_t time_ns) {
        while (late_clock.now_ns < time_ns) {
            late_clock.now_ns = std::max(late_clock.now_ns, std::min(time_ns, next_due_ns()));
            if (late_clock.now_ns < time_ns && late_clock.happens(punctual)) wake();
            others_work();
            read_late_clock();
            note_edges();
        }
    }

    [[nodiscard]] std::int64_t next_due_ns() const noexcept {
        std::int64_t due_ns = pipeline_->next_wakeup_ns();
        if (next_input_ < record_.inputs.size())
            due_ns = std::min(due_ns, record_.inputs[next_input_].time_ns);
        for (int i = 0; interlock_ && i < interlock_->size(); ++i)
            due_ns = std::min(due_ns, interlock_->line(i).deadline_ns());
        return due_ns;
    }

    // The timer of the outputs, Python, a person.
    void others_work() noexcept {
        if (!interlock_) return;
        if (late_clock.happens(punctual / 2)) interlock_->end_due();
        for (int i = 0; i < interlock_->size(); ++i)
            if (late_clock.happens(punctual / 2) && interlock_->line(i).deadline_ns() <= late_clock.now_ns)
                interlock_->end_line(i);
        while (next_input_ < record_.inputs.size() &&
               record_.inputs[next_input_].time_ns <= late_clock.now_ns)
            take_input(record_.inputs[next_input_++]);
    }

    void take_input(const ReplayInput& input) noexcept {
        if (session_.ended_ns != 0) return;
        if (input.kind == ReplayInput::Kind::safe) interlock_->to_safe();
        if (input.kind == ReplayInput::Kind::arm && !pipeline_->protocol_finished()) interlock_->arm();
        if (input.kind == ReplayInput::Kind::command) interlock_->apply(input.command, EdgeCause::user);
    }

    void end_outputs() noexcept {
        if (session_.ended_ns != 0) return;
        session_.ended_ns = read_late_clock();
        if (interlock_) interlock_->to_safe();
    }

    void note_edges() {
        InterlockEvent edge;
        while (interlock_ && interlock_->poll_event(edge)) session_.events.push_back(event_record_of(edge));
        EventRecord event;
        while (sink_.events.pop(&event)) {
            event.camera = camera_;
            session_.events.push_back(event);
        }
    }

    ReplayRecord record_;
    std::int32_t camera_;
    PipelineSink sink_;
    std::shared_ptr<Interlock> interlock_;
    std::optional<Pipeline> pipeline_;
    std::size_t values_ = 0, next_input_ = 0;
    std::vector<std::byte> pose_;
    LateSession session_;
};

}  // namespace

LateSession late_session(ReplayParts parts, const ReplayRecord& record, const LateSpec& spec) {
    return Machine(std::move(parts), record, spec).run();
}

}  // namespace fastpose
