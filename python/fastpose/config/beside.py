"""Outputs that processes beside the loop move: messages, instruments, screens, and those of plug-ins."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator
from typing_extensions import Self

from fastpose.config.output import BaseOutput, one_byte_a_character
from fastpose.config.types import (
    NUMBER,
    ConfigPath,
    Float,
    Fraction,
    NonNegativeInt,
    PositiveFloat,
    Section,
    Size,
    Text,
)

Port = Annotated[int, Field(ge=1, le=65535), NUMBER]
Grey = Annotated[int, Field(ge=0, le=255), NUMBER]
Colour = tuple[Grey, Grey, Grey]  # red, green, blue


class BesideOutput(BaseOutput):
    """What all of them share: a process of their own, a bounded queue, a delay that is measured."""


class NidaqOutput(BesideOutput):
    """A line or an analogue channel of a National Instruments device; its task stays open."""

    driver: Literal["nidaq"]
    channel: Annotated[str, Field(pattern=r"^\w+/(port\d+/line\d+|ao\d+|PFI\d+)$")]
    """As NI calls it: Dev1/port0/line0, Dev1/PFI6, Dev1/ao0."""
    high_v: PositiveFloat = 5.0
    """What `on` and pulses put on an analogue channel, V."""
    max_on_ms: PositiveFloat
    """The interlock ends a high level after this time."""

    @property
    def analogue(self) -> bool:
        """An ao channel takes volts."""
        return "/ao" in self.channel

    @model_validator(mode="after")
    def _high_is_allowed(self) -> Self:
        if self.analogue and self.max_level is not None and self.high_v > self.max_level:
            raise ValueError(
                f"high_v {self.high_v:g} is more than max_level; allowed: at most {self.max_level:g}"
            )
        return self


class LslOutput(BesideOutput):
    """Markers in a Lab Streaming Layer stream: one string for high, one for low."""

    driver: Literal["lsl"]
    stream: Text = "fastpose_markers"
    """Name of the stream; outputs that name the same share it."""
    high: str | None = None
    """Marker for high; null: "<name> on". Empty: none."""
    low: str | None = None
    """Marker for low; null: "<name> off". Empty: none."""


class ZmqOutput(BesideOutput):
    """A ZeroMQ publisher: topic and JSON {"output", "high", "value", "sent_ns"}."""

    driver: Literal["zmq"]
    endpoint: Text = "tcp://*:5557"
    """Bound here; outputs and streams that name the same share it."""
    topic: str | None = None
    """null: the name of the output."""

    @property
    def analogue(self) -> bool:
        """Any value can be said."""
        return True


class OscOutput(BesideOutput):
    """Open Sound Control over UDP: one number, 1 or 0 or the value."""

    driver: Literal["osc"]
    host: Text = "127.0.0.1"
    port: Port
    address: Annotated[str, Field(pattern=r"^/")] | None = None
    """null: /fastpose/<name>."""

    @property
    def analogue(self) -> bool:
        """Any value can be said."""
        return True


class UdpOutput(BesideOutput):
    """A datagram for high and one for low."""

    driver: Literal["udp"]
    host: Text = "127.0.0.1"
    port: Port
    high: str = "1"
    """One byte a character; empty: nothing is sent."""
    low: str = "0"

    @model_validator(mode="after")
    def _bytes(self) -> Self:
        one_byte_a_character(self.high)
        one_byte_a_character(self.low)
        return self


class OpenEphysOutput(BesideOutput):
    """A TTL line of the Open Ephys GUI, through its Network Events plugin."""

    driver: Literal["open_ephys"]
    host: Text = "127.0.0.1"
    port: Port = 5556
    line: Annotated[int, Field(ge=1, le=256), NUMBER]
    timeout_ms: PositiveFloat = 500.0
    """For the answer of the GUI."""


class HttpOutput(BesideOutput):
    """A request to a web server at each edge, with JSON {"output", "high", "value", "sent_ns"}."""

    driver: Literal["http"]
    url: Annotated[str, Field(pattern=r"^https?://")]
    method: Literal["POST", "PUT"] = "POST"
    headers: dict[str, str] = Field(default_factory=dict)
    timeout_ms: PositiveFloat = 2000.0

    @property
    def analogue(self) -> bool:
        """Any value can be said."""
        return True


class Grating(Section):
    """A sine grating that drifts."""

    period_px: PositiveFloat
    """Of one cycle, px of the screen."""
    angle_deg: Float = 0.0
    """Direction in which it drifts; 0: to the right, 90: down."""
    drift_hz: Float = 0.0
    """Cycles a second."""
    contrast: Fraction = 1.0


class Stimulus(Section):
    """One of: image, video, grating, colour."""

    image: ConfigPath | None = None
    """Shown as it is, in the middle; larger ones are made to fit."""
    video: ConfigPath | None = None
    """Plays from its start at each rise, over and over."""
    grating: Grating | None = None
    colour: Colour | None = None
    """The whole screen."""

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        given = [name for name in ("image", "video", "grating", "colour") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(
                f"{' and '.join(given) or 'nothing'} given; allowed: one of image, video, grating, colour"
            )
        return self


class ScreenOutput(BesideOutput):
    """A visual stimulus on a screen: there while the output is high."""

    driver: Literal["screen"]
    display: NonNegativeInt = 1
    """Number of the screen; 0: the first."""
    size: Size | None = None
    """Of a window, px; null: the whole screen."""
    stimulus: Stimulus
    background: Colour = (127, 127, 127)
    """While no stimulus of this display is shown; that of the first output counts."""
    photodiode_px: NonNegativeInt = 0
    """Edge of a square in the lower left corner that is white while this is shown, black else; 0: none."""


class PlugInOutput(BesideOutput):
    """An output of somebody else's package: its driver is an entry point of the group fastpose.outputs."""

    driver: str


class StreamBase(Section):
    """Poses for others, as they come; who is too slow loses the oldest that wait, and it is counted."""

    driver: str
    camera: Text | None = None
    """Whose poses; null: those of the acting camera."""
    every: Annotated[int, Field(ge=1), NUMBER] = 1
    """Of so many poses one."""


class LslStream(StreamBase):
    """A Lab Streaming Layer stream of x, y, likelihood of each body part; NaN where there is none."""

    driver: Literal["lsl"]
    name: Text = "fastpose"


class ZmqStream(StreamBase):
    """A ZeroMQ publisher: topic and JSON with frame_id, times and keypoints."""

    driver: Literal["zmq"]
    endpoint: Text = "tcp://*:5558"
    topic: Text = "pose"


class OscStream(StreamBase):
    """Open Sound Control: for each body part ADDRESS/<individual>/<bodypart> x y likelihood."""

    driver: Literal["osc"]
    host: Text = "127.0.0.1"
    port: Port
    address: Annotated[str, Field(pattern=r"^/")] = "/fastpose/pose"


class UdpStream(StreamBase):
    """A datagram of JSON for each pose."""

    driver: Literal["udp"]
    host: Text = "127.0.0.1"
    port: Port


PoseStream = Annotated[LslStream | ZmqStream | OscStream | UdpStream, Field(discriminator="driver")]

__all__ = [
    "BesideOutput",
    "HttpOutput",
    "LslOutput",
    "LslStream",
    "NidaqOutput",
    "OpenEphysOutput",
    "OscOutput",
    "OscStream",
    "PlugInOutput",
    "PoseStream",
    "ScreenOutput",
    "Stimulus",
    "UdpOutput",
    "UdpStream",
    "ZmqOutput",
    "ZmqStream",
]
