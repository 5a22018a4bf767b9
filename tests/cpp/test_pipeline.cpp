// One frame through all stages, and the promise that nothing is allocated on the way.
#include "engine/pipeline.h"

#include <gtest/gtest.h>

#include <cmath>
#include <tuple>

#include "allocation_counter.h"
#include "base/error.h"
#include "engine_rig.h"
#include "protocol/states.h"

namespace fastpose {
namespace {

using testing_rig::Parts;
using testing_rig::side;

struct Loop {
    Parts parts;
    PipelineSink sink{1, testing_rig::bodyparts};
    FaultSlot faults;
    Pipeline pipeline{*parts.pipeline, &sink, &faults};
    std::vector<std::uint8_t> pixels = std::vector<std::uint8_t>(side * side);
    std::int64_t next = 0;

    explicit Loop(const Parts& given = {}) : parts(given) { parts.interlock->arm(); }

    FrameRecord step(int flags = 0) {
        FrameMeta meta;
        meta.frame_id = next;
        meta.exposure_start_ns = 1'000'000'000 + 10'000'000 * next++;
        meta.flags = flags;
        FrameRecord record{};
        record.dequeued_ns = now_ns();
        pipeline.process({pixels.data(), side, side, side, PixelFormat::mono8}, meta, record);
        return record;
    }
};

TEST(Pipeline, StampsEveryStageInOrder) {
    Loop loop;
    const FrameRecord record = loop.step();
    EXPECT_LE(record.dequeued_ns, record.preprocessed_ns);
    EXPECT_LE(record.preprocessed_ns, record.inferred_ns);
    EXPECT_LE(record.inferred_ns, record.decoded_ns);
    EXPECT_LE(record.decoded_ns, record.filtered_ns);
    EXPECT_LE(record.filtered_ns, record.decided_ns);
    EXPECT_LE(record.decided_ns, record.acted_ns);
    EXPECT_EQ(record.roi_width, side);
}

TEST(Pipeline, RuleEdgesBecomeOutputEdges) {
    Loop loop;
    loop.step();  // cell (1, 1): x = y = 12, inside
    EXPECT_NEAR(loop.pipeline.raw().at(0, 0).x, 12.0F, 1e-4);
    EXPECT_TRUE(loop.parts.line->high());
    EXPECT_EQ(loop.pipeline.rule_bits(), 1U);
    loop.step();  // cell (6, 6): outside
    EXPECT_FALSE(loop.parts.line->high());
    EXPECT_EQ(loop.parts.line->rising_edges(), 1);
    std::vector<std::pair<int, int>> events;
    for (EventRecord event; loop.sink.events.pop(&event);) events.emplace_back(event.kind, event.value);
    const int rule = static_cast<int>(EventKind::rule), output = static_cast<int>(EventKind::output);
    EXPECT_EQ(events, (std::vector<std::pair<int, int>>{{rule, 1}, {output, 1}, {rule, 0}, {output, 0}}));
}

class AlwaysOn final : public Protocol {
  public:
    void step(const ProtocolInput&, Decision& decision) noexcept override { decision.add({0, Action::on}); }
    void reset() noexcept override {}
};

TEST(Pipeline, CommandThatMakesNoEdgeLeavesItsTime) {
    Parts parts;
    parts.pipeline->protocol = std::make_shared<AlwaysOn>();
    Loop loop{parts};
    loop.step();
    const std::int64_t decided_ns = loop.step().decided_ns;
    loop.parts.interlock->to_safe();
    loop.step();
    std::vector<EventRecord> outputs;
    for (EventRecord event; loop.sink.events.pop(&event);)
        if (event.kind != static_cast<int>(EventKind::rule)) outputs.push_back(event);
    ASSERT_EQ(outputs.size(), 3U);
    EXPECT_EQ(outputs[0].kind, static_cast<int>(EventKind::output));
    EXPECT_EQ(outputs[1].kind, static_cast<int>(EventKind::kept));
    EXPECT_GE(outputs[1].stamp_ns, decided_ns);
    EXPECT_EQ(outputs[2].kind, static_cast<int>(EventKind::refused));
    EXPECT_EQ(outputs[2].flags, static_cast<int>(event_safe));
}

TEST(Pipeline, UnreadableFrameGivesNaNAndHoldsTheRule) {
    Loop loop;
    loop.step();
    const FrameRecord record = loop.step(frame_unreadable);
    EXPECT_TRUE(std::isnan(loop.pipeline.raw().at(0, 0).x));
    EXPECT_EQ(record.inferred_ns, 0);
    EXPECT_GT(record.decided_ns, 0);
    EXPECT_TRUE(loop.parts.line->high());
}

TEST(Pipeline, AllocatesNothingInAThousandFrames) {
    Loop loop;
    loop.step();
    start_counting_allocations();
    for (int i = 0; i < 1000; ++i) loop.step();
    EXPECT_EQ(stop_counting_allocations(), 0);
    start_counting_allocations();
    const auto* probe = new std::vector<int>(10);  // the counter counts
    EXPECT_GT(stop_counting_allocations(), 0);
    delete probe;
}

// Two states: the output is on in the first, for 5 ms; then the session ends.
std::shared_ptr<Protocol> make_short_session() {
    StatesSpec spec;
    spec.rules = spec.outputs = 1;
    const auto after_5_ms = [](int to) {
        return TransitionSpec{.trigger = Trigger::after, .after = {5'000'000, 5'000'000}, .targets = {{to}}};
    };
    spec.states = {
        {.during = {{0, Action::on}}, .next = {after_5_ms(1)}}, {.next = {after_5_ms(2)}}, {.final = true}};
    return std::make_shared<StateMachine>(spec);
}

TEST(Pipeline, ActsBetweenFramesAndEndsTheSession) {
    Parts parts;
    parts.pipeline->protocol = make_short_session();
    Loop loop{parts};
    const std::int64_t began_ns = loop.step().filtered_ns;
    EXPECT_TRUE(loop.parts.line->high());
    EXPECT_EQ(loop.pipeline.next_wakeup_ns(), began_ns + 5'000'000);
    loop.pipeline.wake(began_ns + 5'000'000);
    EXPECT_FALSE(loop.parts.line->high());
    EXPECT_FALSE(loop.pipeline.protocol_finished());
    loop.pipeline.wake(began_ns + 60'000'000);
    EXPECT_TRUE(loop.pipeline.protocol_finished());
    EXPECT_FALSE(loop.parts.interlock->armed());
    std::vector<std::tuple<std::int64_t, int, std::int64_t>> states;  // frame, state, ns since the first
    for (EventRecord event; loop.sink.events.pop(&event);) {
        if (event.kind == static_cast<int>(EventKind::state))
            states.emplace_back(event.frame_id, event.value, event.stamp_ns - began_ns);
        if (event.kind == static_cast<int>(EventKind::output) && event.value == 0) {
            EXPECT_EQ(event.frame_id, -1);  // no frame made it
        }
    }
    EXPECT_EQ(states, (std::vector<std::tuple<std::int64_t, int, std::int64_t>>{
                          {0, 0, 0}, {-1, 1, 5'000'000}, {-1, 2, 10'000'000}}));
    EXPECT_EQ(loop.pipeline.next_wakeup_ns(), Protocol::never_ns);
}

TEST(Pipeline, RefusesMissingStages) {
    EXPECT_THROW(Pipeline(PipelineParts{}, nullptr, nullptr), ConfigError);
}

}  // namespace
}  // namespace fastpose
