// The state machine: states with outputs, and transitions on rules, time, counters and chance.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "protocol/protocol.h"
#include "protocol/random.h"
#include "protocol/states_spec.h"

namespace fastpose {

// Note [One change a frame]: A frame's rules cause at most one change of state, after all changes that time
// has caused up to the frame's filtered_ns. So an edge of a rule is seen by the state that was there when it
// came, and no machine can go round for ever within a frame. The first frame starts the machine: it enters
// the initial state, and every rule that is true in it has risen.
//
// Note [Timers]: A timer that runs out stays so until a transition takes it, or it is started or stopped
// anew: a state that is entered later takes it at once. Each running out is taken once.
//
// Note [During]: Two states one after the other that have the same command for an output in `during` keep
// it as it is, without an edge.
//
// Thread-bound. The constructor throws ConfigError.
class StateMachine final : public Protocol {
  public:
    explicit StateMachine(StatesSpec spec);

    void step(const ProtocolInput& input, Decision& decision) noexcept override;
    void reset() noexcept override;
    [[nodiscard]] std::int64_t next_wakeup_ns() const noexcept override { return due_.at_ns; }
    void advance(std::int64_t now_ns, Decision& decision) noexcept override;

    [[nodiscard]] std::int32_t state() const noexcept { return state_; }
    [[nodiscard]] std::int64_t counter(std::size_t index) const { return counters_.at(index); }
    [[nodiscard]] bool finished() const noexcept { return finished_; }

  private:
    // What time will do next; `transition` null: a limit is reached.
    struct Due {
        std::int64_t at_ns = never_ns;
        const TransitionSpec* transition = nullptr;
    };
    // One change of state.
    struct Change {
        std::int64_t at_ns = 0;
        const ProtocolInput* input = nullptr;  // the frame that caused it; null: time did
        bool suppressed = false;               // commands that raise a line are not given
    };

    [[nodiscard]] const StateSpec& spec_of(std::int32_t state) const noexcept {
        return spec_.states[static_cast<std::size_t>(state)];
    }
    [[nodiscard]] bool has_room(const Decision& decision) const noexcept;
    void start(std::int64_t now_ns, Decision& decision) noexcept;
    void carry_out_due(Decision& decision) noexcept;
    void look_at_rules(const ProtocolInput& input, Decision& decision) noexcept;
    [[nodiscard]] bool holds(const TransitionSpec& transition, const ProtocolInput& input) const noexcept;
    [[nodiscard]] bool provided(const TransitionSpec& transition) const noexcept;
    void remember(std::span<const std::uint8_t> rules) noexcept;

    void take(const TransitionSpec& transition, Change change, Decision& decision) noexcept;
    [[nodiscard]] std::int32_t target_of(const TransitionSpec& transition) noexcept;
    [[nodiscard]] std::int32_t drawn(const std::vector<Target>& targets) noexcept;
    [[nodiscard]] bool reached_limit() const noexcept;
    void change_to(std::int32_t target, Change change, Decision& decision) noexcept;
    void judge(const StateSpec& target, Change& change, Decision& decision) const noexcept;
    [[nodiscard]] bool goes_on(const OutputCommand& held, const StateSpec& target,
                               const Change& change) const noexcept;
    void leave(const StateSpec& target, const Change& change, Decision& decision) noexcept;
    void enter(std::int32_t target, const StateSpec& before, const Change& change,
               Decision& decision) noexcept;
    static void give(const OutputCommand& command, const Change& change, Decision& decision) noexcept;
    void start_times() noexcept;
    [[nodiscard]] std::int64_t draw(const Duration& duration) noexcept;
    void tell(Decision& decision) noexcept;

    void find_due() noexcept;
    void consider(std::int64_t at_ns, const TransitionSpec* transition) noexcept;

    StatesSpec spec_;
    Random random_;
    int room_ = 0;  // commands that one change may need
    bool started_ = false, finished_ = false, suppressed_ = false;
    std::int32_t state_ = 0;
    std::int64_t entered_ns_ = 0, session_end_ns_ = never_ns, limited_ns_ = 0;
    std::vector<std::int64_t> after_ns_;   // of the present state's transitions: when they are due
    std::vector<std::int64_t> timers_ns_;  // when each runs out, never_ns: it does not run
    std::vector<std::int64_t> counters_;
    std::vector<std::uint8_t> was_;  // the rules in the last frame
    std::vector<std::int32_t> trials_;
    std::size_t trial_ = 0;  // trials drawn so far
    bool new_trial_ = false;
    Due due_;
};

}  // namespace fastpose
