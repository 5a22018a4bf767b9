"""State machines as the engine takes them: names become indices, times become ns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fastpose import _core
from fastpose.assembly.actions import command_of
from fastpose.config.states import ENDED, State, StatesProtocol, Transition, Uniform

__all__ = ["make_state_machine"]

NS_PER_MS, NS_PER_S = 1_000_000, 1_000_000_000
_TRIGGERS: Mapping[str, Any] = {"after_ms": "after"}
_MOST = 2**62  # of a counter without an upper bound


def make_state_machine(
    protocol: StatesProtocol, rules: Sequence[str], outputs: Sequence[str], *, tells_states: bool = True
) -> _core.StateMachine:
    """Return the machine.

    Parameters
    ----------
    protocol : StatesProtocol
        Its seed is given.
    rules, outputs : sequence of str
        What it sees and moves, in the engine's order.
    tells_states : bool
        Every state that is entered becomes an event.

    Raises
    ------
    ConfigError
        The machine takes more commands at once than there is room for.
    """
    maker = _Maker(protocol, list(rules), list(outputs))
    return _core.StateMachine(
        rules=len(maker.rules),
        outputs=len(maker.outputs),
        states=[maker.state(name, state) for name, state in protocol.all_states.items()],
        initial=maker.states.index(protocol.first),
        timers=[_duration(time) for time in protocol.timers.values()],
        counters=len(protocol.counters),
        trials=maker.trials(),
        limits=maker.limits(),
        seed=protocol.seed or 0,
        tells_states=tells_states,
    )


class _Maker:
    def __init__(self, protocol: StatesProtocol, rules: list[str], outputs: list[str]) -> None:
        self._protocol = protocol
        self.rules, self.outputs = rules, outputs
        self.states, self.timers = list(protocol.all_states), list(protocol.timers)
        self.counters = list(protocol.counters)
        self._types = list(protocol.trials.types) if protocol.trials else []

    def state(self, name: str, state: State) -> _core.StateSpec:
        limits = self._protocol.limits
        limited = limits.time_in_states is not None and name in limits.time_in_states.states
        counts = {counter: (0, True) for counter in state.reset}
        counts |= {counter: (by, counter in state.reset) for counter, by in state.count.items()}
        return _core.StateSpec(
            on_entry=self._commands(state.on_entry),
            on_exit=self._commands(state.on_exit),
            during=self._commands(state.during),
            next=[self._transition(transition) for transition in state.next],
            start_timers=[self.timers.index(timer) for timer in state.start],
            stop_timers=[self.timers.index(timer) for timer in state.stop],
            count=[(self.counters.index(counter), by, reset) for counter, (by, reset) in counts.items()],
            final=state.final,
            limited=limited,
            checks_limits=not state.final and (name in limits.at or not limits.at),
            deadline_ns=round((state.deadline_ms or 0) * NS_PER_MS),
            suppress_late=state.on_late == "suppress",
        )

    def _commands(self, actions: Mapping[str, Any]) -> list[_core.OutputCommand]:
        return [command_of(self.outputs.index(name), action) for name, action in actions.items()]

    def _transition(self, transition: Transition) -> _core.TransitionSpec:
        by_trial = transition.to_trial or transition.next_trial
        names = [by_trial[kind] for kind in self._types] if by_trial else list(transition.targets)
        weights = transition.targets
        source = self.rules.index(transition.rule) if transition.rule else 0
        if transition.timer is not None:
            source = self.timers.index(transition.timer)
        return _core.TransitionSpec(
            trigger=_TRIGGERS.get(transition.cause, transition.cause),
            source=source,
            after=_duration(transition.after_ms) if transition.after_ms is not None else (0, 0),
            provided=[
                (
                    self.counters.index(name),
                    -_MOST if bounds.at_least is None else bounds.at_least,
                    _MOST if bounds.at_most is None else bounds.at_most,
                )
                for name, bounds in transition.provided.items()
            ],
            choice="present_trial" if transition.to_trial else "next_trial" if by_trial else "chance",
            targets=[(self.states.index(name), weights[name]) for name in names],
        )

    def trials(self) -> _core.TrialListSpec:
        trials = self._protocol.trials
        if trials is None:
            return _core.TrialListSpec()
        return _core.TrialListSpec(
            counts=list(trials.types.values()), blocks=trials.blocks, order=trials.order
        )

    def limits(self) -> _core.StatesLimits:
        if not self._protocol.may_end:
            return _core.StatesLimits()
        limits = self._protocol.limits
        total_s = limits.time_in_states.max_s if limits.time_in_states else 0.0
        return _core.StatesLimits(
            session_ns=round((limits.session_s or 0) * NS_PER_S),
            time_in_states_ns=round(total_s * NS_PER_S),
            counters=[(self.counters.index(name), value, _MOST) for name, value in limits.counters.items()],
            trials=limits.trials,
            end_state=self.states.index(ENDED),
        )


def _duration(time: float | Uniform) -> tuple[int, int]:
    least_ms, most_ms = time.uniform if isinstance(time, Uniform) else (time, time)
    return round(least_ms * NS_PER_MS), round(most_ms * NS_PER_MS)
