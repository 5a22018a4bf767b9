"""Checks of state machines: names that are not there, states that cannot be reached or left."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from fastpose.config.experiments import OptogeneticProtocol, TrialProtocol
from fastpose.config.problems import Problem, no_such
from fastpose.config.states import ENDED, State, StatesProtocol, Transition

if TYPE_CHECKING:
    from fastpose.config.root import Config

__all__ = ["native_protocols", "problems_of_experiment", "rules_of_protocol"]

native_protocols = (StatesProtocol, OptogeneticProtocol, TrialProtocol)


def rules_of_protocol(protocol: Any) -> dict[str, str]:
    """Return the rules that a protocol looks at, by the path in the config that names each first."""
    if isinstance(protocol, OptogeneticProtocol):
        return {"protocol.when": protocol.when}
    if isinstance(protocol, TrialProtocol):
        return {"protocol.start_when": protocol.start_when, "protocol.response": protocol.response}
    if not isinstance(protocol, StatesProtocol):
        return {}
    return {
        f"{path}.{transition.cause}": transition.rule
        for _, path, transition in _transitions(protocol)
        if transition.rule is not None
    }


def problems_of_experiment(config: Config) -> Iterator[Problem]:
    """Yield everything that does not fit together in a protocol of these types."""
    protocol = config.protocol
    if not isinstance(protocol, native_protocols):
        return
    yield from _rules(config)
    yield from _outputs(config)
    if isinstance(protocol, StatesProtocol):
        yield from _states(protocol)
    if isinstance(protocol, TrialProtocol):
        yield from _names_of_trials(protocol)


# --- rules and outputs ---


def _rules(config: Config) -> Iterator[Problem]:
    seen = config.seen_by_protocol
    for path, rule in rules_of_protocol(config.protocol).items():
        if rule not in config.rules:
            yield Problem(path, no_such("rule", rule, config.rules))
        elif seen and (camera := config.camera_of(config.rules[rule])) and camera not in seen:
            yield Problem(
                path,
                f"rule {rule!r} looks at camera {camera!r}, the protocol gets the rules of "
                f"{', '.join(seen)}; allowed: a rule of these, or cameras in one synchronised set",
            )


def _outputs(config: Config) -> Iterator[Problem]:
    for path, actions in _actions(config.protocol):
        for name, action in actions.items():
            output = config.outputs.get(name)
            pulse_ms = getattr(action, "pulse_ms", None)
            if output is None:
                yield Problem(f"{path}.{name}", no_such("output", name, config.outputs))
            elif pulse_ms is not None and output.max_on_ms is not None and pulse_ms > output.max_on_ms:
                yield Problem(
                    f"{path}.{name}.pulse_ms",
                    f"{pulse_ms:g} is more than its max_on_ms; allowed: at most {output.max_on_ms:g}",
                )
    yield from _never_off(config)


def _actions(protocol: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every mapping of outputs to actions, with its path."""
    if isinstance(protocol, OptogeneticProtocol):
        yield "protocol.do", protocol.do
    if isinstance(protocol, TrialProtocol):
        for name, kind in protocol.trials.items():
            yield f"protocol.trials.{name}.do", kind.do
        yield "protocol.on_success", protocol.on_success
        yield "protocol.on_failure", protocol.on_failure
    if isinstance(protocol, StatesProtocol):
        for name, state in protocol.states.items():
            for key, actions in state.outputs.items():
                yield f"protocol.states.{name}.{key}", actions


def _never_off(config: Config) -> Iterator[Problem]:
    """An `on` that nothing ends: neither another action nor a limit."""
    found = list(_actions(config.protocol))
    held = {name for path, actions in found if path.endswith(("during", "do")) for name in actions}
    ended = held | {name for _, actions in found for name, action in actions.items() if action == "off"}
    for path, actions in found:
        for name, action in actions.items():
            output = config.outputs.get(name)
            if action != "on" or name in ended or output is None or output.max_on_ms is not None:
                continue
            yield Problem(
                f"{path}.{name}",
                f"on, and nothing turns it off; allowed: `during` in a state, {{pulse_ms: x}}, off in "
                f"another state, or outputs.{name}.max_on_ms",
            )


def _names_of_trials(protocol: TrialProtocol) -> Iterator[Problem]:
    for name in protocol.trials:
        if name in ("waiting", "success", "failure", ENDED) or name.endswith(("_known", "_after")):
            yield Problem(
                f"protocol.trials.{name}",
                "is the name of a state of every trial; allowed: another, that ends in neither _known nor "
                "_after",
            )


# --- states ---


def _transitions(protocol: StatesProtocol) -> Iterator[tuple[str, str, Transition]]:
    for name, state in protocol.states.items():
        for index, transition in enumerate(state.next):
            yield name, f"protocol.states.{name}.next[{index}]", transition


def _states(protocol: StatesProtocol) -> Iterator[Problem]:
    if protocol.first not in protocol.states:
        yield Problem("protocol.initial", no_such("state", protocol.first, protocol.states))
        return
    yield from _ended(protocol)
    wrong = [*_targets(protocol), *_sources(protocol), *_of_states(protocol), *_of_limits(protocol)]
    yield from wrong
    if not wrong:
        yield from _cannot_be_reached(protocol)
    yield from _cannot_be_left(protocol)


def _ended(protocol: StatesProtocol) -> Iterator[Problem]:
    own = protocol.states.get(ENDED)
    if protocol.may_end and own is not None and not own.final:
        yield Problem(
            f"protocol.states.{ENDED}",
            "limits and the end of the trials lead to the state of this name; allowed: final: true in it, or "
            "another name",
        )


def _unknown(kind: str, path: str, names: Iterable[str], known: Iterable[str]) -> Iterator[Problem]:
    allowed = list(known)
    for name in names:
        if name not in allowed:
            yield Problem(path, no_such(kind, name, allowed))


def _targets(protocol: StatesProtocol) -> Iterator[Problem]:
    types = list(protocol.trials.types) if protocol.trials else []
    for _, path, transition in _transitions(protocol):
        key = "to" if transition.to is not None else "to_trial" if transition.to_trial else "next_trial"
        yield from _unknown("state", f"{path}.{key}", transition.targets, protocol.all_states)
        by_trial = transition.to_trial or transition.next_trial
        if by_trial is None:
            continue
        if sorted(by_trial) != sorted(types):
            allowed = ", ".join(types) or "none, as there are no trials"
            yield Problem(
                f"{path}.{key}",
                f"has {', '.join(by_trial) or 'nothing'}; allowed: every type of protocol.trials: {allowed}",
            )


def _sources(protocol: StatesProtocol) -> Iterator[Problem]:
    started = {timer for state in protocol.states.values() for timer in state.start}
    for _, path, transition in _transitions(protocol):
        timer = transition.timer
        yield from _unknown("counter", f"{path}.provided", transition.provided, protocol.counters)
        if timer is not None and timer not in protocol.timers:
            yield Problem(f"{path}.timer", no_such("timer", timer, protocol.timers))
        elif timer is not None and timer not in started:
            yield Problem(
                f"{path}.timer", f"no state starts timer {timer!r}; allowed: `start: [{timer}]` in a state"
            )


def _of_states(protocol: StatesProtocol) -> Iterator[Problem]:
    for name, state in protocol.states.items():
        path = f"protocol.states.{name}"
        yield from _unknown("timer", f"{path}.start", state.start, protocol.timers)
        yield from _unknown("timer", f"{path}.stop", state.stop, protocol.timers)
        yield from _unknown("counter", f"{path}.count", state.count, protocol.counters)
        yield from _unknown("counter", f"{path}.reset", state.reset, protocol.counters)


def _of_limits(protocol: StatesProtocol) -> Iterator[Problem]:
    limits = protocol.limits
    yield from _unknown("state", "protocol.limits.at", limits.at, protocol.states)
    yield from _unknown("counter", "protocol.limits.counters", limits.counters, protocol.counters)
    if limits.time_in_states is not None:
        path = "protocol.limits.time_in_states.states"
        yield from _unknown("state", path, limits.time_in_states.states, protocol.states)
    if limits.trials and protocol.trials is None:
        yield Problem("protocol.limits.trials", "true, but there are no trials; allowed: false, or trials")


def _cannot_be_reached(protocol: StatesProtocol) -> Iterator[Problem]:
    reached, new = {protocol.first}, [protocol.first]
    while new:
        state = protocol.states.get(new.pop(), State(final=True))
        for target in (target for transition in state.next for target in transition.targets):
            if target not in reached:
                reached.add(target)
                new.append(target)
    for name in protocol.states:
        if name not in reached and not (name == ENDED and protocol.may_end):
            yield Problem(
                f"protocol.states.{name}",
                f"cannot be reached from {protocol.first!r}; allowed: a transition that leads to it, or "
                "leave it out",
            )


def _cannot_be_left(protocol: StatesProtocol) -> Iterator[Problem]:
    for name, state in protocol.states.items():
        if not state.next and not state.final:
            yield Problem(
                f"protocol.states.{name}",
                "has no way out; allowed: next with a transition, or final: true where it is to end the "
                "session",
            )
