"""Outputs: lines that act on the world, behind the interlock."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator
from typing_extensions import Self

from fastpose.config.types import Name, PositiveFloat, Section, Text, number_to_text

Baud = Literal[
    1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200, 230400, 460800, 500000, 576000, 921600,
    1000000, 2000000, 3000000, 4000000,
]  # fmt: skip


def _one_byte_a_character(text: str) -> str:
    try:
        text.encode("latin-1")
    except UnicodeEncodeError:
        raise ValueError(
            f"{text!r} holds characters that are no single byte; allowed: \\x00 to \\xff"
        ) from None
    return text


LineBytes = Annotated[
    str,
    Field(min_length=1, max_length=64),
    BeforeValidator(number_to_text),
    AfterValidator(_one_byte_a_character),
]


class _Output(Section):
    driver: str
    max_on_ms: PositiveFloat | None = None
    """The interlock ends a high level after this time; null: no limit."""
    max_rate_hz: PositiveFloat | None = None
    """The interlock refuses to go high more often than this; null: no limit."""
    safe: Literal["low", "high"] = "low"
    """Level before the start and after every exit."""


class SimOutput(_Output):
    """A line in memory: stamps like a real one, moves nothing."""

    driver: Literal["sim"]


class SerialOutput(_Output):
    """A device behind a serial port that takes bytes for high and low."""

    driver: Literal["serial"]
    port: Text
    """Device file such as /dev/ttyACM0; under /dev/serial/by-id names stay the same after a reboot."""
    baud: Baud = 115200
    high: LineBytes = "H"
    """Bytes to send for high; one byte a character, escapes such as "\\x01" in double quotes."""
    low: LineBytes = "L"
    max_on_ms: PositiveFloat
    """The interlock ends a high level after this time."""

    @model_validator(mode="after")
    def _levels_differ(self) -> Self:
        if self.high == self.low:
            raise ValueError(f"high and low are both {self.high!r}; the device could not tell them apart")
        return self


class PylonOutput(_Output):
    """A line of a Basler camera of this config, moved by the camera's own process."""

    driver: Literal["pylon"]
    camera: Name
    """Which of the cameras."""
    line: Text
    """As the camera calls it: Line2, ..."""
    user_output: Text | None = None
    """Register of the camera behind the line; null: the first that the line takes and no other output has."""
    inverted: bool = False
    """true: the camera turns the level round, as some opto-coupled outputs need it."""
    max_on_ms: PositiveFloat
    """The interlock ends a high level after this time."""


Output = Annotated[SimOutput | SerialOutput | PylonOutput, Field(discriminator="driver")]
