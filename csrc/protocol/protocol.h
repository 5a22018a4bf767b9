// Decides what the outputs do: a state machine over the rules' values and over time.
#pragma once
#include <array>
#include <cstdint>
#include <limits>
#include <span>

#include "base/command.h"
#include "pose/pose.h"

namespace fastpose {

struct ProtocolInput {
    PoseView pose;                        // filtered
    std::span<const std::uint8_t> rules;  // 0 or 1 per rule, in the config's order
    std::int64_t frame_id = 0;
    std::int64_t exposure_start_ns = 0;
    std::int64_t now_ns = 0;  // the frame's filtered_ns
};

// What a protocol wants to have in the record beside its commands.
struct ProtocolNote {
    enum class Kind : std::int32_t { state = 0, trial = 1 };
    Kind kind = Kind::state;
    std::int32_t source = 0;    // trial: its type
    std::int32_t value = 0;     // state: the new one; trial: its number, from 1
    std::int64_t stamp_ns = 0;  // logical time, see Note [Protocol time]
};

// Fixed room for what one call can ask for.
struct Decision {
    static constexpr int max_commands = 32, max_notes = 64;
    std::array<OutputCommand, max_commands> commands{};
    std::array<ProtocolNote, max_notes> notes{};
    int count = 0, note_count = 0;
    std::int32_t state = 0;                // the protocol's state after this call
    bool late = false;                     // a reaction of this frame missed its deadline, given or not
    bool finished = false;                 // the protocol has ended the session: outputs are to be safe
    std::uint64_t suppressed_outputs = 0;  // bit i: because it was late, a command for output i was not given

    void add(OutputCommand command) noexcept {
        if (count < max_commands) commands[static_cast<std::size_t>(count++)] = command;
    }
    void note(ProtocolNote note) noexcept {
        if (note_count < max_notes) notes[static_cast<std::size_t>(note_count++)] = note;
    }
    // Forgets all but the state, without touching the room.
    void clear() noexcept {
        count = note_count = 0;
        late = finished = false;
        suppressed_outputs = 0;
    }
};

// Note [Protocol time]: Time goes on for a protocol in two ways: step() with a frame, whose time is the
// frame's filtered_ns, and advance() between frames. A timer is carried out at its own logical time, the one
// it was set for, however late advance() is called, and a timer that it sets counts from there. So what a
// protocol does depends on the frames' poses and filtered_ns alone: a replay that feeds these makes the same
// commands, in the same order, with the same logical times, though nobody wakes it between frames.
//
// Thread-bound; allocates nothing after construction.
class Protocol {
  public:
    static constexpr std::int64_t never_ns = std::numeric_limits<std::int64_t>::max();

    virtual ~Protocol() = default;
    // Carries out what is due up to the frame's time first, if advance() has not done so.
    virtual void step(const ProtocolInput& input, Decision& decision) noexcept = 0;
    // As before the first frame.
    virtual void reset() noexcept = 0;

    // When advance() has something to do; never_ns: nothing but a frame can change anything.
    [[nodiscard]] virtual std::int64_t next_wakeup_ns() const noexcept { return never_ns; }
    // Carries out, in order, what is due up to `now_ns`. Where the room of a decision does not do, the rest
    // is left for another call, and next_wakeup_ns() stays due.
    virtual void advance(std::int64_t /*now_ns*/, Decision& /*decision*/) noexcept {}
};

}  // namespace fastpose
