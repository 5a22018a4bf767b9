"""State machines: states with outputs; transitions on rules, time, counters and chance; trials; limits."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Discriminator, Field, Tag, model_validator
from typing_extensions import Self

from fastpose.config.protocol import Action
from fastpose.config.types import (
    NUMBER,
    Name,
    PositiveFloat,
    PositiveInt,
    Section,
    Text,
    no_repeats,
)

ENDED = "ended"  # the final state that limits lead to, where the config has none of this name
OnLate = Literal["suppress", "flag"]

Milliseconds = Annotated[float, Field(ge=1, le=1e9), NUMBER]
Seed = Annotated[int, Field(ge=0, le=2**53), NUMBER]
Names = Annotated[tuple[Text, ...], AfterValidator(no_repeats)]


def _refuse_follow(actions: dict[str, Any]) -> dict[str, Any]:
    for name, action in actions.items():
        if action == "follow":
            raise ValueError(f"{name}: follow belongs to type conditional; allowed: on, off, or an action")
    return actions


def _refuse_off(actions: dict[str, Any]) -> dict[str, Any]:
    for name, action in actions.items():
        if action in ("off", "follow"):
            raise ValueError(f"{name}: {action} does nothing while a state lasts; allowed: on, or an action")
    return actions


Actions = Annotated[dict[str, Action], Field(max_length=16), AfterValidator(_refuse_follow)]
"""Per output: on, off, {pulse_ms: x} or another action; given once."""
Held = Annotated[dict[str, Action], Field(max_length=16), AfterValidator(_refuse_off)]
"""Per output: on, {pulse_ms: x} or another action; off when the state is left."""


class Uniform(Section):
    """A time drawn anew each time that it is needed, evenly between both."""

    uniform: tuple[Milliseconds, Milliseconds]

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.uniform[0] > self.uniform[1]:
            raise ValueError(f"uniform is {list(self.uniform)}; allowed: the shorter time first")
        return self


def _kind_of_time(value: Any) -> str:
    return "uniform" if isinstance(value, dict | Uniform) else "ms"


TimeMs = Annotated[
    Annotated[Uniform, Tag("uniform")] | Annotated[Milliseconds, Tag("ms")], Discriminator(_kind_of_time)
]


class Bounds(Section):
    """What a counter may be."""

    at_least: Annotated[int, NUMBER] | None = None
    at_most: Annotated[int, NUMBER] | None = None

    @model_validator(mode="after")
    def _bounds_something(self) -> Self:
        if self.at_least is None and self.at_most is None:
            raise ValueError("neither at_least nor at_most given; allowed: one of them, or both")
        return self


class Transition(Section):
    """A way out of a state: one cause, and where it leads to. The first one that holds is taken."""

    when: Text | None = None
    """A rule: taken at the first frame in which it is true."""
    unless: Text | None = None
    """A rule: taken at the first frame in which it is false."""
    rises: Text | None = None
    """A rule: taken at a frame in which it becomes true."""
    falls: Text | None = None
    """A rule: taken at a frame in which it becomes false."""
    after_ms: TimeMs | None = None
    """So long after the state was entered."""
    timer: Text | None = None
    """One of the timers has run out."""
    provided: dict[Name, Bounds] = Field(default_factory=dict)
    """Counters that must be within these bounds, or the transition is not there."""
    to: Text | dict[Text, PositiveFloat] | None = None
    """The next state; or several with their weights, drawn by chance."""
    to_trial: dict[Text, Text] | None = None
    """The next state by the type of the present trial."""
    next_trial: dict[Text, Text] | None = None
    """Begins the next trial, and goes to the state of its type; when there is none, the session ends."""

    @model_validator(mode="after")
    def _one_cause_and_one_target(self) -> Self:
        self._exactly_one_of("when", "unless", "rises", "falls", "after_ms", "timer")
        self._exactly_one_of("to", "to_trial", "next_trial")
        return self

    def _exactly_one_of(self, *names: str) -> None:
        given = [name for name in names if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(
                f"{' and '.join(given) or 'none of them'} given; allowed: exactly one of {', '.join(names)}"
            )

    @property
    def cause(self) -> str:
        """Which key says what it waits for."""
        causes = ("when", "unless", "rises", "falls", "after_ms", "timer")
        return next(name for name in causes if getattr(self, name) is not None)

    @property
    def rule(self) -> str | None:
        """The rule that it waits for; None: it waits for a time."""
        return self.when or self.unless or self.rises or self.falls

    @property
    def targets(self) -> dict[str, float]:
        """Every state that it can lead to, with its weight (of trials: 1)."""
        if isinstance(self.to, str):
            return {self.to: 1.0}
        if self.to is not None:
            return dict(self.to)
        return dict.fromkeys((self.to_trial or self.next_trial or {}).values(), 1.0)


class State(Section):
    """What the outputs do in a state, and how it ends."""

    on_entry: Actions = Field(default_factory=dict)
    during: Held = Field(default_factory=dict)
    on_exit: Actions = Field(default_factory=dict)
    start: Names = ()
    """Timers that start when it is entered."""
    stop: Names = ()
    """Timers that are stopped when it is entered."""
    count: dict[Name, Annotated[int, NUMBER]] = Field(default_factory=dict)
    """Added to these counters when it is entered."""
    reset: Names = ()
    """Counters that are set to 0 when it is entered, before count."""
    next: tuple[Transition, ...] = ()
    final: bool = False
    """Entering it ends the session; all outputs are made safe at once."""
    deadline_ms: PositiveFloat | None = None
    """From exposure_start of the frame that leads here; null: none."""
    on_late: OnLate = "suppress"
    """What happens to its outputs when the deadline was missed; the state is entered either way."""

    @model_validator(mode="after")
    def _final_does_nothing(self) -> Self:
        if self.final and (self.on_entry or self.during or self.on_exit or self.next):
            raise ValueError(
                "final beside outputs or next; allowed: final: true alone, as the session ends there "
                "with all outputs safe; give the last outputs in a state before it"
            )
        return self

    @property
    def outputs(self) -> dict[str, dict[str, Any]]:
        """The outputs that it moves, by the key that says when."""
        return {"on_entry": self.on_entry, "during": self.during, "on_exit": self.on_exit}


class Trials(Section):
    """The list of trials, drawn before the first one."""

    types: Annotated[dict[Name, PositiveInt], Field(min_length=1)]
    """How often each type comes in a block."""
    blocks: PositiveInt = 1
    order: Literal["sequence", "random", "blocked"] = "blocked"
    """blocked: shuffled within each block; random: all blocks shuffled as one; sequence: as written."""


class TimeInStates(Section):
    """Time spent in some states, added up over the session."""

    states: Annotated[Names, Field(min_length=1)]
    max_s: PositiveFloat


class Limits(Section):
    """What ends the session; outputs are safe at once."""

    session_s: PositiveFloat | None = None
    """From the first frame on, exact."""
    time_in_states: TimeInStates | None = None
    """Exact: the state is left at that moment."""
    counters: dict[Name, PositiveInt] = Field(default_factory=dict)
    """Counters that have reached these values when a state of `at` is about to be entered."""
    trials: bool = False
    """The list of trials is used up when a state of `at` is about to be entered."""
    at: Names = ()
    """States before which counters and trials are looked at; none: before every state."""

    @model_validator(mode="after")
    def _trials_end_somewhere(self) -> Self:
        if self.trials and not self.at:
            raise ValueError("trials without at: the last trial would be cut; allowed: at with some states")
        return self


class StatesProtocol(Section):
    """A state machine, native in the loop."""

    type: Literal["states"]
    states: Annotated[dict[Name, State], Field(min_length=1)]
    initial: Text | None = None
    """Entered with the first frame; null: the first of states."""
    timers: dict[Name, TimeMs] = Field(default_factory=dict)
    """Timers that go on over several states, ms."""
    counters: Names = ()
    """Counters; they start at 0."""
    trials: Trials | None = None
    limits: Limits = Limits()
    seed: Seed | None = None
    """Of all chance in it; null: drawn when the session starts, and written into its config.yaml."""
    camera: Text | None = None
    """Camera whose rules it gets; null: the only one that a network sees. In a synchronised set it gets the
    rules of all cameras of the set."""

    @property
    def first(self) -> str:
        """The state that it starts in."""
        return self.initial or next(iter(self.states))

    @property
    def all_states(self) -> dict[str, State]:
        """The states in the engine's order, with the one that limits lead to."""
        if not self.may_end or ENDED in self.states:
            return dict(self.states)
        return {**self.states, ENDED: State(final=True)}

    @property
    def may_end(self) -> bool:
        """A limit or the end of the trials may end the session."""
        limits = self.limits
        any_limit = limits.session_s or limits.time_in_states or limits.counters or limits.trials
        return bool(any_limit) or self.trials is not None

    @property
    def rules(self) -> list[str]:
        """The rules that it looks at."""
        transitions = (transition for state in self.states.values() for transition in state.next)
        return list(dict.fromkeys(transition.rule for transition in transitions if transition.rule))
