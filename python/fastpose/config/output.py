"""Outputs: lines that act on the world, behind the interlock."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator
from typing_extensions import Self

from fastpose.config.types import NUMBER, Name, NonNegativeInt, PositiveFloat, Section, Text, number_to_text

Baud = Literal[
    1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200, 230400, 460800, 500000, 576000, 921600,
    1000000, 2000000, 3000000, 4000000,
]  # fmt: skip


def one_byte_a_character(text: str) -> str:
    """Refuse characters that no single byte can hold."""
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
    AfterValidator(one_byte_a_character),
]


class BaseOutput(Section):
    """What every output has: its limits and its safe level."""

    driver: str
    max_on_ms: PositiveFloat | None = None
    """The interlock ends a high level after this time; null: no limit."""
    max_rate_hz: PositiveFloat | None = None
    """The interlock refuses to go high more often than this; null: no limit."""
    max_total_ms: PositiveFloat | None = None
    """Time high in all, over the session; then the line stays low. null: no limit."""
    max_level: PositiveFloat | None = None
    """Highest analogue value, in the output's own unit, where it has one; null: as high as it goes."""
    not_with: tuple[Name, ...] = ()
    """Outputs that must not be active while this one is, whichever came first; the later is refused."""
    safe: Literal["low", "high"] = "low"
    """Level before the start and after every exit."""

    @property
    def analogue(self) -> bool:
        """Whether it takes values between low and high."""
        return False


class SimOutput(BaseOutput):
    """A line in memory: stamps like a real one, moves nothing."""

    driver: Literal["sim"]

    @property
    def analogue(self) -> bool:
        """It takes any value."""
        return True


class SerialOutput(BaseOutput):
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


class PylonOutput(BaseOutput):
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


Pin = Annotated[int, Field(ge=0, le=255), NUMBER]


class FirmwareOutput(BaseOutput):
    """A pin of a microcontroller with our firmware: confirmed, and safe by itself when we are silent."""

    driver: Literal["firmware"]
    port: Text
    """Device file such as /dev/ttyACM0; outputs that name the same share the microcontroller."""
    baud: Baud = 115200
    """Of the sketch; boards with native USB do not care."""
    pin: Pin
    pwm: bool = False
    """true: the pin takes levels from 0 to 1, as pulse width modulation."""
    heartbeat_ms: Annotated[int, Field(ge=20, le=60_000), NUMBER] = 250
    """Silence after which the microcontroller makes its lines safe."""
    max_on_ms: PositiveFloat
    """The interlock ends a high level after this time, the board itself a little later."""

    @property
    def analogue(self) -> bool:
        """A pin with pwm takes shares from 0 to 1."""
        return self.pwm

    @model_validator(mode="after")
    def _levels_are_shares(self) -> Self:
        if self.max_level is not None and self.max_level > 1:
            raise ValueError(f"max_level is {self.max_level:g}; allowed: at most 1, a share of full power")
        return self


class TeensyLaserOutput(BaseOutput):
    """The laser firmware of DeepLabCut-live: O with frequency, width and duration starts it, X ends it."""

    driver: Literal["teensy_laser"]
    port: Text
    """Device file such as /dev/ttyACM0."""
    baud: Baud = 115200
    pulse_hz: Annotated[int, Field(ge=0, le=65535), NUMBER] = 50
    """Of the pulses that the firmware makes while the output is high."""
    pulse_width_ms: Annotated[int, Field(ge=0, le=65535), NUMBER] = 5
    max_stim_s: Annotated[int, Field(ge=0, le=65535), NUMBER] = 0
    """The firmware ends by itself after this time, in its own unit; 0: it does not."""
    max_on_ms: PositiveFloat
    """The interlock ends a high level after this time."""


class GpioOutput(BaseOutput):
    """A line of a GPIO chip of this computer."""

    driver: Literal["gpio"]
    chip: Text = "/dev/gpiochip0"
    line: NonNegativeInt
    """Offset on the chip, as gpioinfo lists it."""
    active_low: bool = False
    """true: high is the low level of the pin."""
    max_on_ms: PositiveFloat
    """The interlock ends a high level after this time."""
