"""Conditional, optogenetic and trial protocols as the state machines that they are."""

from __future__ import annotations

from typing import Any

from fastpose.config.experiments import OptogeneticProtocol, TrialProtocol, TrialType
from fastpose.config.protocol import ConditionalProtocol
from fastpose.config.states import (
    Limits,
    State,
    StatesProtocol,
    TimeInStates,
    Transition,
    Trials,
)

__all__ = ["as_states"]


def as_states(protocol: Any) -> StatesProtocol | None:
    """Return the state machine that a protocol is; None: it is none."""
    if isinstance(protocol, StatesProtocol):
        return protocol
    if isinstance(protocol, ConditionalProtocol):
        return _conditional(protocol)
    if isinstance(protocol, OptogeneticProtocol):
        return _optogenetic(protocol)
    if isinstance(protocol, TrialProtocol):
        return _trial(protocol)
    return None


def _conditional(protocol: ConditionalProtocol) -> StatesProtocol:
    pauses = protocol.inter_trial_s is not None
    counts = protocol.max_reactions is not None
    reacting = State(
        on_entry={name: action for name, action in protocol.do.items() if action != "follow"},
        during={name: "on" for name, action in protocol.do.items() if action == "follow"},
        start=("inter_trial",) if pauses else (),
        count={"reactions": 1} if counts else {},
        next=(Transition(unless=protocol.when, to="pause" if pauses else "waiting"),),
        deadline_ms=protocol.deadline_ms,
        on_late=protocol.on_late,
    )
    states = {
        "waiting": State(next=(Transition(when=protocol.when, to="reacting"),)),
        "reacting": reacting,
        **({"pause": State(next=(Transition(timer="inter_trial", to="waiting"),))} if pauses else {}),
    }
    return StatesProtocol(
        type="states",
        states=states,
        timers={"inter_trial": 1000 * protocol.inter_trial_s} if protocol.inter_trial_s else {},
        counters=("reactions",) if counts else (),
        limits=Limits(
            session_s=protocol.max_session_s,
            counters={"reactions": protocol.max_reactions} if protocol.max_reactions else {},
            at=("waiting",),
        ),
    )


# --- optogenetic ---


def _optogenetic(protocol: OptogeneticProtocol) -> StatesProtocol:
    least_ms, most_ms = 1000 * protocol.min_stim_s, 1000 * protocol.max_stim_s
    extra_ms = most_ms - least_ms
    pause = Transition(after_ms=1000 * protocol.inter_trial_s, to="waiting")
    stimulating: dict[str, State] = {}
    if least_ms >= 1:
        to = "extended" if extra_ms >= 1 else "pause"
        stimulating["minimum"] = State(during=protocol.do, next=(Transition(after_ms=least_ms, to=to),))
    if extra_ms >= 1:
        ends = (Transition(unless=protocol.when, to="pause"), Transition(after_ms=extra_ms, to="pause"))
        stimulating["extended"] = State(during=protocol.do, next=ends)
    first = next(iter(stimulating))
    entered = {"deadline_ms": protocol.deadline_ms, "on_late": protocol.on_late, "count": {"stimulations": 1}}
    stimulating[first] = stimulating[first].model_copy(update=entered)
    return StatesProtocol(
        type="states",
        states={
            "waiting": State(next=(Transition(when=protocol.when, to=first),)),
            **stimulating,
            "pause": State(next=(pause,)),
        },
        counters=("stimulations",),
        limits=_optogenetic_limits(protocol, tuple(stimulating)),
        camera=protocol.camera,
    )


def _optogenetic_limits(protocol: OptogeneticProtocol, stimulating: tuple[str, ...]) -> Limits:
    total = protocol.max_total_stim_s
    counted = protocol.max_stimulations
    return Limits(
        session_s=protocol.max_session_s,
        time_in_states=TimeInStates(states=stimulating, max_s=total) if total else None,
        counters={"stimulations": counted} if counted else {},
        at=("waiting",),
    )


# --- trial ---


def _trial(protocol: TrialProtocol) -> StatesProtocol:
    trials = {name: _names(name, protocol) for name in protocol.trials}
    waiting = State(
        next=(
            Transition(
                when=protocol.start_when, next_trial={name: next(iter(own)) for name, own in trials.items()}
            ),
        )
    )
    states = {"waiting": waiting}
    for name, kind in protocol.trials.items():
        states |= _states_of(name, kind, protocol)
    states["success"] = _result(protocol, protocol.on_success, {"successes": 1})
    states["failure"] = _result(protocol, protocol.on_failure, {})
    return StatesProtocol(
        type="states",
        states=states,
        timers={"trial": 1000 * protocol.trial_s, "stimulus": 1000 * protocol.stimulus_s},
        counters=("successes",),
        trials=Trials(
            types={name: kind.count for name, kind in protocol.trials.items()},
            blocks=protocol.blocks,
            order=protocol.order,
        ),
        limits=Limits(
            session_s=protocol.max_session_s,
            counters={"successes": protocol.max_successes} if protocol.max_successes else {},
            trials=True,
            at=("waiting",),
        ),
        seed=protocol.seed,
        camera=protocol.camera,
    )


def _result(protocol: TrialProtocol, actions: dict[str, Any], count: dict[str, int]) -> State:
    """A result is told when it is entered, and is the pause as well."""
    pause = Transition(after_ms=1000 * protocol.inter_trial_s, to="waiting")
    return State(on_entry=actions, count=count, next=(pause,))


def _ends_early(protocol: TrialProtocol) -> bool:
    return protocol.stimulus_s < protocol.trial_s


def _names(trial: str, protocol: TrialProtocol) -> list[str]:
    """States of a type of trial: with its stimulus and after it, before the result is known and then."""
    known = [] if protocol.result_at == "once_known" else [f"{trial}_known"]
    names = [trial, *known]
    return [*names, *(f"{name}_after" for name in names)] if _ends_early(protocol) else names


def _states_of(trial: str, kind: TrialType, protocol: TrialProtocol) -> dict[str, State]:
    states: dict[str, State] = {}
    names = _names(trial, protocol)
    for name in names:
        is_known, is_after = name.startswith(f"{trial}_known"), name.endswith("_after")
        transitions = [Transition(timer="trial", to=_outcome(protocol, known=is_known))]
        if not is_after and _ends_early(protocol):
            transitions.append(Transition(timer="stimulus", to=f"{name}_after"))
        if not is_known:
            after = "_after" if is_after else ""
            known = f"{trial}_known{after}" if protocol.result_at == "end" else ""
            transitions.append(_decisive(protocol, known or _outcome(protocol, known=True)))
        states[name] = State(during={} if is_after else kind.do, next=tuple(transitions))
    begin = {
        "start": ("trial", "stimulus") if _ends_early(protocol) else ("trial",),
        "deadline_ms": protocol.deadline_ms,
        "on_late": protocol.on_late,
    }
    states[trial] = states[trial].model_copy(update=begin)
    return states


def _decisive(protocol: TrialProtocol, to: str) -> Transition:
    """The frame that makes the result certain."""
    if protocol.result == "any":
        return Transition(when=protocol.response, to=to)
    return Transition(unless=protocol.response, to=to)


def _outcome(protocol: TrialProtocol, *, known: bool) -> str:
    """The result: after the decisive frame, or when the time is over without one."""
    return "success" if known == (protocol.result == "any") else "failure"
