// One frame in, one decision out: steps 4 to 9 of the data path, in order, on the caller's thread.
#pragma once
#include <memory>
#include <span>
#include <vector>

#include "base/clock.h"
#include "engine/estimator.h"
#include "engine/fault.h"
#include "engine/pipeline_sink.h"
#include "filter/filter.h"
#include "frame/frame.h"
#include "latency/histogram.h"
#include "output/interlock.h"
#include "pose/identity.h"
#include "protocol/protocol.h"
#include "rule/rule_set.h"

namespace fastpose {

// Is told of each command before the interlock carries it out; a replay sets its clock then.
class CommandObserver {
  public:
    virtual ~CommandObserver() = default;
    virtual void before(const OutputCommand& command, const FrameRecord& record) noexcept = 0;
};

struct PipelineParts {
    std::shared_ptr<Estimator> estimator;
    std::shared_ptr<Identity> identity;        // null: individuals stay in the order of the detections
    std::shared_ptr<Filter> filter;            // null: none
    std::vector<std::shared_ptr<Rule>> rules;  // in the config's order
    std::vector<int> rule_ids{};  // of each among all the session's rules; empty: 0, 1, ... in this order
    std::shared_ptr<Protocol> protocol;    // null: none
    std::shared_ptr<Interlock> interlock;  // null: no outputs
    int individuals = 1, bodyparts = 0;
    NowFunction now = now_ns;             // a replay has a clock of its own
    CommandObserver* observer = nullptr;  // null: nobody
};

// Latencies as they come, for the live status; the report is made from the log.
struct PipelineLatencies {
    LatencyHistogram exposure_to_decided, exposure_to_acted, dequeued_to_decided;
};

// Thread-bound but for the const members. Set-up throws ConfigError; process() never throws or allocates.
class Pipeline {
  public:
    static constexpr std::size_t max_rules = RuleSet::max_rules;

    Pipeline(PipelineParts parts, PipelineSink* sink, FaultSlot* faults);

    // Warms the network up, and lets the filter expect the time that it takes; returns it, ns.
    std::int64_t warm_up() noexcept;
    // The same where the network runs elsewhere.
    void expect_work(std::int64_t work_ns) noexcept;
    [[nodiscard]] std::int64_t expected_work_ns() const noexcept {
        return expected_work_ns_.load(std::memory_order_relaxed);
    }

    // `record.dequeued_ns` is set by the caller; all later stamps are set here. Flags of the record stay.
    void process(const FrameView& frame, const FrameMeta& meta, FrameRecord& record) noexcept;

    // The steps of process(), for frames that belong together; in this order.
    void begin(const FrameMeta& meta, FrameRecord& record) noexcept;
    bool estimate(const FrameView& frame, FrameRecord& record) noexcept;  // false: it has no pose
    bool note_failure(FrameRecord& record, const char* error) noexcept;   // of an estimate made elsewhere
    void track(bool estimated, FrameRecord& record) noexcept;             // identity, filter, rules
    // Protocol and outputs; `rules`: the values that the protocol sees.
    void react(FrameRecord& record, std::span<const std::uint8_t> rules) noexcept;
    void finish(const FrameRecord& record) noexcept;

    // What the protocol does between frames: when it next wants to, and doing what is due up to now_ns. What
    // it does then belongs to no frame.
    [[nodiscard]] std::int64_t next_wakeup_ns() const noexcept;
    void wake(std::int64_t now_ns) noexcept;
    // The protocol has ended the session; the outputs are safe. Any thread may ask.
    [[nodiscard]] bool protocol_finished() const noexcept {
        return protocol_finished_.load(std::memory_order_relaxed);
    }

    [[nodiscard]] PoseView raw() noexcept { return view(raw_); }
    [[nodiscard]] PoseView filtered() noexcept { return view(filtered_); }
    [[nodiscard]] const PipelineParts& parts() const noexcept { return parts_; }
    [[nodiscard]] const PipelineLatencies& latencies() const noexcept { return latencies_; }
    // 0 or 1 for each of its rules, in their order.
    [[nodiscard]] std::span<const std::uint8_t> rule_values() const noexcept { return rules_.values(); }
    [[nodiscard]] int rule_id(std::size_t rule) const noexcept {
        return parts_.rule_ids.empty() ? static_cast<int>(rule) : parts_.rule_ids[rule];
    }
    // Bit i: the session's rule i is one of these and true. Any thread may ask.
    [[nodiscard]] std::uint64_t rule_bits() const noexcept {
        return rule_bits_.load(std::memory_order_relaxed);
    }
    [[nodiscard]] std::int64_t processed() const noexcept {
        return processed_.load(std::memory_order_relaxed);
    }
    [[nodiscard]] std::int64_t late() const noexcept { return late_.load(std::memory_order_relaxed); }
    // Frames that were processed without those that belong to them.
    [[nodiscard]] std::int64_t unmatched() const noexcept {
        return unmatched_.load(std::memory_order_relaxed);
    }
    // Of the newest processed frame.
    [[nodiscard]] std::int64_t newest_exposure_ns() const noexcept {
        return newest_exposure_ns_.load(std::memory_order_relaxed);
    }

  private:
    [[nodiscard]] PoseView view(std::vector<Keypoint>& keypoints) noexcept {
        return {keypoints.data(), parts_.individuals, parts_.bodyparts};
    }
    void smooth(FrameRecord& record) noexcept;
    void update_rules(const FrameRecord& record) noexcept;
    void decide(FrameRecord& record, std::span<const std::uint8_t> rules) noexcept;
    void act(FrameRecord& record) noexcept;
    void carry_out(const OutputCommand& command, FrameRecord& record) noexcept;
    void note_states(const FrameRecord& record) noexcept;
    void end_session() noexcept;
    void note_suppressed(const FrameRecord& record) noexcept;
    void log(const FrameRecord& record) noexcept;
    void note(const FrameRecord& record, EventKind kind, int source, int value, int flags,
              std::int64_t stamp_ns) noexcept;

    PipelineParts parts_;
    PipelineSink* sink_;
    FaultSlot* faults_;
    std::vector<Keypoint> raw_, filtered_;
    RuleSet rules_;
    Decision decision_;
    std::int32_t state_ = 0;
    PipelineLatencies latencies_;
    std::atomic<std::uint64_t> rule_bits_{0};
    std::atomic<bool> protocol_finished_{false};
    std::atomic<std::int64_t> expected_work_ns_{0}, processed_{0}, late_{0}, unmatched_{0},
        newest_exposure_ns_{0};
};

}  // namespace fastpose
