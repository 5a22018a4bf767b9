// Rule edges to commands, with the deadline judged at the moment of deciding.
#include "protocol/conditional.h"

#include <utility>

#include "base/check.h"

namespace fastpose {
namespace {

constexpr int max_outputs = 64;  // bits of Decision::suppressed_outputs

void check(const ConditionalAction& action) {
    require_index("protocol.do: the number of an output", action.output, max_outputs);
    if (action.reaction == Reaction::pulse)
        require_above("protocol.do: the pulse in ns", static_cast<double>(action.pulse_ns), 0);
}

void check(const ConditionalSpec& spec) {
    require_at_least("protocol.when: the number of the rule", spec.rule, 0);
    require_at_least("protocol.deadline in ns", static_cast<double>(spec.deadline_ns), 0);
    require_between("protocol.do: the number of actions", static_cast<double>(spec.actions.size()), 0,
                    Decision::max_commands);
    for (const ConditionalAction& action : spec.actions) check(action);
}

OutputCommand command_for(const ConditionalAction& action) noexcept {
    if (action.reaction == Reaction::off) return {action.output, Action::off};
    if (action.reaction == Reaction::pulse) return {action.output, Action::pulse, action.pulse_ns};
    if (action.reaction == Reaction::other) return action.command;
    return {action.output, Action::on};
}

}  // namespace

ConditionalProtocol::ConditionalProtocol(ConditionalSpec spec) : spec_(std::move(spec)) { check(spec_); }

void ConditionalProtocol::step(const ProtocolInput& input, Decision& decision) noexcept {
    const auto rule = static_cast<std::size_t>(spec_.rule);
    const bool is_true = rule < input.rules.size() && input.rules[rule] != 0;
    if (is_true && !was_true_) rise(input, decision);
    if (!is_true && was_true_) fall(decision);
    was_true_ = is_true;
}

void ConditionalProtocol::rise(const ProtocolInput& input, Decision& decision) const noexcept {
    const bool late = spec_.deadline_ns > 0 && input.now_ns - input.exposure_start_ns > spec_.deadline_ns;
    const bool suppress = late && spec_.on_late == OnLate::suppress;
    for (const ConditionalAction& action : spec_.actions) {
        if (suppress && action.reaction != Reaction::off) {
            decision.suppressed_outputs |= std::uint64_t{1} << action.output;
        } else {
            decision.add(command_for(action));
        }
    }
    decision.late = late;
}

void ConditionalProtocol::fall(Decision& decision) const noexcept {
    for (const ConditionalAction& action : spec_.actions)
        if (action.reaction == Reaction::follow) decision.add({action.output, Action::off});
}

}  // namespace fastpose
