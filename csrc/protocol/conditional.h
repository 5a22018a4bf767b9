// The conditional protocol: when a rule becomes true, do these things.
#pragma once
#include <cstdint>
#include <vector>

#include "protocol/protocol.h"

namespace fastpose {

enum class Reaction : std::int32_t {
    pulse = 0,   // on the rule's rising edge: high for pulse_ns
    on = 1,      // on the rising edge: high until told otherwise
    off = 2,     // on the rising edge: low
    follow = 3,  // high while the rule is true
    other = 4,   // on the rising edge: what `command` says
};

struct ConditionalAction {
    std::int32_t output = 0;
    Reaction reaction = Reaction::pulse;
    std::int64_t pulse_ns = 0;  // pulse only
    OutputCommand command{};    // other only; its output is `output`
};

enum class OnLate : std::int32_t { suppress = 0, flag = 1 };

struct ConditionalSpec {
    int rule = 0;  // index in the config's order
    std::vector<ConditionalAction> actions;
    std::int64_t deadline_ns = 0;  // from exposure_start; 0: none
    OnLate on_late = OnLate::suppress;
};

// Note [Late reactions]: a reaction is late when now_ns - exposure_start_ns > deadline_ns at the moment of
// deciding. Suppressed, it is lost for this rising edge: it is not made up for on a later frame, since the
// animal has moved on. Only commands that raise a line are ever suppressed; a falling edge (off, the end of
// follow) always acts.

// Thread-bound. The constructor throws ConfigError.
class ConditionalProtocol final : public Protocol {
  public:
    explicit ConditionalProtocol(ConditionalSpec spec);

    void step(const ProtocolInput& input, Decision& decision) noexcept override;
    // As before the first frame: a rule that is true then counts as a rising edge.
    void reset() noexcept override { was_true_ = false; }

  private:
    void rise(const ProtocolInput& input, Decision& decision) const noexcept;
    void fall(Decision& decision) const noexcept;

    ConditionalSpec spec_;
    bool was_true_ = false;
};

}  // namespace fastpose
