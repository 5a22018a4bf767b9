"""Actions: what a protocol may ask of an output."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, model_validator
from typing_extensions import Self

from fastpose.config.types import NonNegativeFloat, PositiveFloat, PositiveInt, Section

if TYPE_CHECKING:
    from fastpose.config.outputs import Output


class Pulse(Section):
    """High now, low after pulse_ms."""

    pulse_ms: PositiveFloat


class TrainSettings(Section):
    """Pulses in a row, the first now."""

    pulse_ms: PositiveFloat
    rate_hz: PositiveFloat
    """Rises a second."""
    count: PositiveInt

    @model_validator(mode="after")
    def _pulses_fit(self) -> Self:
        if self.count > 1 and self.pulse_ms * self.rate_hz >= 1000:
            raise ValueError(
                f"pulse_ms {self.pulse_ms:g} leaves no gap at rate_hz {self.rate_hz:g}; "
                f"allowed: less than {1000 / self.rate_hz:g}"
            )
        return self


class Train(Section):
    """`count` pulses, the first now."""

    train: TrainSettings


class Level(Section):
    """An analogue value until told otherwise; 0 ends it."""

    level: NonNegativeFloat
    """In the output's own unit."""


class RampSettings(Section):
    """The way from one value to another."""

    start: NonNegativeFloat = 0.0
    """In the output's own unit."""
    to: NonNegativeFloat
    ms: PositiveFloat
    """How long it takes."""


class Ramp(Section):
    """An analogue value that goes from `start` to `to`, then stays."""

    ramp: RampSettings


_KEYS = {"pulse_ms": Pulse, "train": Train, "level": Level, "ramp": Ramp}


def _kind_of_action(value: Any) -> str:
    for key, kind in _KEYS.items():
        if isinstance(value, kind) or (isinstance(value, dict) and key in value):
            return f"{{{key}}}"
    return "{pulse_ms}" if isinstance(value, dict) else "switch"


Action = Annotated[
    Annotated[Pulse, Tag("{pulse_ms}")]
    | Annotated[Train, Tag("{train}")]
    | Annotated[Level, Tag("{level}")]
    | Annotated[Ramp, Tag("{ramp}")]
    | Annotated[Literal["on", "off", "follow"], Tag("switch")],
    Discriminator(_kind_of_action),
]

Actions = Annotated[dict[str, Action], Field(min_length=1, max_length=16)]
"""Per output what it does."""


def stays(action: Action) -> bool:
    """Whether the output stays high until something else ends it."""
    if isinstance(action, Level):
        return action.level > 0
    return action.ramp.to > 0 if isinstance(action, Ramp) else action == "on"


def told(action: Action) -> str:
    """The action in a word."""
    return action if isinstance(action, str) else next(iter(action.model_dump()))


def misfits(action: Action, output: Output) -> Iterator[tuple[str, str]]:
    """Yield what an output cannot do of an action: the key inside the action, and the reason."""
    if isinstance(action, Pulse):
        yield from _too_long("pulse_ms", action.pulse_ms, output)
    elif isinstance(action, Train):
        yield from _too_long("train.pulse_ms", action.train.pulse_ms, output)
        highest = output.max_rate_hz
        if action.train.count > 1 and highest is not None and action.train.rate_hz > highest:
            yield (
                "train.rate_hz",
                f"{action.train.rate_hz:g} is more than its max_rate_hz; allowed: at most {highest:g}",
            )
    elif isinstance(action, Level):
        yield from _beyond("level", (action.level,), output)
    elif isinstance(action, Ramp):
        yield from _beyond("ramp", (action.ramp.start, action.ramp.to), output)


def _too_long(key: str, pulse_ms: float, output: Output) -> Iterator[tuple[str, str]]:
    if output.max_on_ms is not None and pulse_ms > output.max_on_ms:
        yield key, f"{pulse_ms:g} is more than its max_on_ms; allowed: at most {output.max_on_ms:g}"


def _beyond(key: str, values: tuple[float, ...], output: Output) -> Iterator[tuple[str, str]]:
    if not output.analogue:
        yield key, f"driver {output.driver} only knows high and low; allowed: on, off, pulse_ms, train"
    elif output.max_level is not None and max(values) > output.max_level:
        yield key, f"{max(values):g} is more than its max_level; allowed: at most {output.max_level:g}"
