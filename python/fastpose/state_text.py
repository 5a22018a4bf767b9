"""State machines in words: what a person reads in a diagram."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fastpose.config.states import ENDED, Limits, State, StatesProtocol, Transition, Uniform

__all__ = ["cause_of", "duration", "facts_of", "lines_of_state", "ways_out"]

_ARTICLES = {"when": "when", "unless": "unless", "rises": "when rises:", "falls": "when falls:"}


def duration(time: float | Uniform) -> str:
    """A time given in ms, as short as it can be said: 500 ms, 1.5 s, 0.5-1.5 s."""
    if isinstance(time, Uniform):
        shorter, longer = (duration(each) for each in time.uniform)
        return f"{shorter} to {longer}"
    return f"{time / 1000:g} s" if time >= 1000 else f"{time:g} ms"


def lines_of_state(state: State) -> Iterator[str]:
    """What a state does, a line each."""
    for key, actions in state.outputs.items():
        for output, action in actions.items():
            yield f"{key.replace('_', ' ')}: {output} {_action(action)}"
    for timer in state.start:
        yield f"starts timer {timer}"
    for timer in state.stop:
        yield f"stops timer {timer}"
    for counter in state.reset:
        yield f"{counter} = {state.count.get(counter, 0)}"
    for counter, by in state.count.items():
        if counter not in state.reset:
            yield f"{counter} {by:+d}"
    if state.deadline_ms is not None:
        yield f"deadline {duration(state.deadline_ms)}, late: {state.on_late}"
    if state.final:
        yield "ends the session, outputs safe"


def _action(action: Any) -> str:
    """An action of the config in one word or two; whatever it holds is told."""
    if isinstance(action, str):
        return action
    content = action.model_dump() if hasattr(action, "model_dump") else action
    if set(content) == {"pulse_ms"}:
        return f"pulse {duration(content['pulse_ms'])}"
    return " ".join(f"{key} {_values(value)}" for key, value in content.items())


def _values(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_values(item)}" for key, item in value.items())
    return f"{value:g}" if isinstance(value, float) else str(value)


def cause_of(transition: Transition) -> str:
    """What a transition waits for."""
    if transition.after_ms is not None:
        text = f"after {duration(transition.after_ms)}"
    elif transition.timer is not None:
        text = f"timer {transition.timer} ran out"
    else:
        text = f"{_ARTICLES[transition.cause]} {transition.rule}"
    return text + "".join(f", {name} {_bounds(bounds)}" for name, bounds in transition.provided.items())


def _bounds(bounds: Any) -> str:
    if bounds.at_least is not None and bounds.at_least == bounds.at_most:
        return f"= {bounds.at_least}"
    least = "" if bounds.at_least is None else f"≥ {bounds.at_least}"
    most = "" if bounds.at_most is None else f"≤ {bounds.at_most}"
    return " ".join(filter(None, (least, most)))


def ways_out(transition: Transition) -> Iterator[tuple[str, str]]:
    """The words of each way that a transition has, and where it leads to."""
    cause = cause_of(transition)
    by_trial = transition.to_trial or transition.next_trial
    if by_trial is not None:
        begins = "next trial" if transition.next_trial else "trial"
        for kind, state in by_trial.items():
            yield (cause if len(by_trial) == 1 else f"{cause}, {begins} {kind}"), state
        return
    whole = sum(transition.targets.values())
    for state, weight in transition.targets.items():
        yield (cause if len(transition.targets) == 1 else f"{cause}, {weight / whole:.0%}"), state


def facts_of(protocol: StatesProtocol) -> Iterator[str]:
    """What holds for the whole machine: timers, trials, limits."""
    for name, time in protocol.timers.items():
        yield f"timer {name}: {duration(time)}"
    if protocol.trials is not None:
        trials = protocol.trials
        types = ", ".join(f"{count} {name}" for name, count in trials.types.items())
        blocks = f", {trials.blocks} blocks" if trials.blocks > 1 else ""
        yield f"trials: {types}{blocks}; order: {trials.order}"
    ends = list(_ends(protocol.limits))
    if ends:
        yield f"goes to {ENDED}: {'; '.join(ends)}"


def _ends(limits: Limits) -> Iterator[str]:
    if limits.session_s is not None:
        yield f"{limits.session_s:g} s after the first frame"
    if limits.time_in_states is not None:
        yield f"{limits.time_in_states.max_s:g} s in {', '.join(limits.time_in_states.states)} in total"
    before = f" before {', '.join(limits.at)}" if limits.at else ""
    for counter, value in limits.counters.items():
        yield f"{counter} ≥ {value}{before}"
    if limits.trials:
        yield f"no trial left{before}"
