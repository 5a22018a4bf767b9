// A recorded session once more: its poses through filter, rules, protocol and interlock, at their own times.
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "engine/pipeline.h"
#include "output/interlock.h"
#include "record/records.h"

namespace fastpose {

// Note [Replay]: What a protocol decides depends on the poses and on the stamps of their frames alone, and
// those are in the record. What a line does depends on when it was written, which is physics: the end of a
// pulse and a command of the same moment can come in either order. So a replay has one clock that stands
// where the record says. Filter, rules and protocol see `filtered_ns`; a command is carried out at
// `decided_ns`.
//
// With a guide, the recorded edges, a write returns when it returned in the session, and the end of a pulse
// comes when it came then, if it was due by then. The guide makes no edge and hides none: what is written,
// refused, forced low or ended, and by which cause, is decided anew. Without a guide a write takes no time
// and a pulse ends when it is due: how a replay of another config is compared with one of the recorded
// config.
//
// A command that made no edge (`kept`: the line had its level, or what it did was extended) tells when it was
// taken, as an end that comes later counts from there, and what was due by itself may lie before or behind
// it. Records of older versions lack these: such a command counts from its decision.
//
// Commands from outside (Python, a person) and what made the outputs safe are inputs of a replay, as poses
// are.

struct ReplayInput {
    enum class Kind : std::int32_t { command = 0, safe = 1, arm = 2 };
    std::int64_t time_ns = 0;
    Kind kind = Kind::command;
    OutputCommand command{};
};

struct ReplayParts {
    std::shared_ptr<Filter> filter;
    std::vector<std::shared_ptr<Rule>> rules;
    std::vector<int> rule_ids{};
    std::shared_ptr<Protocol> protocol;  // null: none
    std::vector<OutputLine> lines{};     // their drivers are not used
    int individuals = 1, bodyparts = 0;
    std::int64_t work_ns = 0;  // what the network took at warm-up
    int camera = 0;            // index in the config's order
    std::vector<int> seen{};   // ids of the rules that the protocol sees, in its order; empty: `rules`
};

struct ReplayRecord {
    std::span<const FrameRecord> frames;    // those that were processed, in their order
    std::span<const float> raw;             // (frames, individuals, bodyparts, 3)
    std::span<const EventRecord> guide{};   // in order of time; empty: none
    std::span<const ReplayInput> inputs{};  // in order of time
    std::span<const EventRecord> others{};  // of rules of other cameras that the protocol sees, as `guide`
};

struct Replayed {
    std::vector<EventRecord> events;  // of rules, states and outputs
    std::vector<float> filtered;      // (frames, individuals, bodyparts, 3)
    std::int64_t latest_end_ns = 0;   // with a guide: longest time between a pulse's due end and its edge
};

// One camera's frames from first to last. Throws ConfigError for parts that do not fit, or a record of
// another shape. Thread-safe: a thread's replays share nothing with those of others.
[[nodiscard]] Replayed replay(ReplayParts parts, const ReplayRecord& record);

}  // namespace fastpose
