// Decides, once a frame, what the outputs do: a state machine over the rules' values.
#pragma once
#include <array>
#include <cstdint>
#include <span>

#include "base/command.h"
#include "pose/pose.h"

namespace fastpose {

struct ProtocolInput {
    PoseView pose;                        // filtered
    std::span<const std::uint8_t> rules;  // 0 or 1 per rule, in the config's order
    std::int64_t frame_id = 0;
    std::int64_t exposure_start_ns = 0;
    std::int64_t now_ns = 0;
};

// Fixed room for what one frame can ask for.
struct Decision {
    static constexpr int max_commands = 16;
    std::array<OutputCommand, max_commands> commands{};
    int count = 0;
    std::int32_t state = 0;                // the protocol's state after this frame
    bool late = false;                     // a reaction of this frame missed its deadline, given or not
    std::uint64_t suppressed_outputs = 0;  // bit i: because it was late, a command for output i was not given

    void add(OutputCommand command) noexcept {
        if (count < max_commands) commands[count++] = command;
    }
};

// Thread-bound; allocates nothing after construction.
class Protocol {
  public:
    virtual ~Protocol() = default;
    virtual void step(const ProtocolInput& input, Decision& decision) noexcept = 0;
    virtual void reset() noexcept = 0;
};

}  // namespace fastpose
