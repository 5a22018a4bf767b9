"""Python protocols: they run beside the loop, get every pose with its age, and cannot hold the loop up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal
from typing import Protocol as Interface

import numpy.typing as npt

from fastpose.errors import FastposeError
from fastpose.pose import Pose

if TYPE_CHECKING:
    from fastpose.cuda.frame import Frame as DeviceFrame

__all__ = ["Frame", "Outputs", "Protocol", "ProtocolSession"]

Action = Literal["off", "on", "pulse", "train", "level", "ramp"]
# (output index, action, duration ms, period ms, count, value, to) -> (changed, refused, failed, stamp_ns)
Command = Callable[..., tuple[bool, bool, bool, int]]


class Outputs:
    """The output lines, by name, behind the interlock.

    Each method returns whether the line changed its level; the interlock's limits may refuse a command, which
    stands in ``events.csv``.
    """

    def __init__(self, names: tuple[str, ...], command: Command) -> None:
        self._names, self._command = names, command

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the lines, in the config's order."""
        return self._names

    def on(self, name: str) -> bool:
        """High until told otherwise, or until the interlock's ``max_on_ms``."""
        return self._give(name, "on")

    def off(self, name: str) -> bool:
        """Low now."""
        return self._give(name, "off")

    def pulse(self, name: str, pulse_ms: float) -> bool:
        """High now, low after ``pulse_ms``."""
        if not pulse_ms > 0:
            raise ValueError(f"pulse_ms is {pulse_ms}; allowed: a number above 0")
        return self._give(name, "pulse", pulse_ms)

    def train(self, name: str, pulse_ms: float, *, rate_hz: float, count: int) -> bool:
        """``count`` pulses, the first now."""
        if not (pulse_ms > 0 and rate_hz > 0 and count >= 1 and (count == 1 or pulse_ms * rate_hz < 1000)):
            raise ValueError(
                f"pulse_ms {pulse_ms}, rate_hz {rate_hz}, count {count}; allowed: numbers above 0, "
                "pulses shorter than their period"
            )
        return self._give(name, "train", pulse_ms, 1000 / rate_hz, count)

    def level(self, name: str, value: float) -> bool:
        """Set an analogue value, in the output's own unit; 0 ends it."""
        return self._give(name, "level", 0.0, 0.0, 0, value)

    def ramp(self, name: str, start: float, to: float, ms: float) -> bool:
        """Go from one analogue value to another, then stay."""
        if not ms > 0:
            raise ValueError(f"ms is {ms}; allowed: a number above 0")
        return self._give(name, "ramp", ms, 0.0, 0, start, to)

    def _give(self, name: str, action: Action, duration_ms: float = 0.0, *more: float) -> bool:
        if name not in self._names:
            raise KeyError(f"no output {name!r}; the config has {', '.join(self._names) or 'none'}")
        return self._command(self._names.index(name), action, duration_ms, *more)[0]


@dataclass(frozen=True, eq=False)
class Frame:
    """A frame that was asked for.

    Attributes
    ----------
    pixels : ndarray
        A copy: (H, W) uint8 for mono8 and Bayer, (H, W, 3) for rgb8 and bgr8, (H, W, 2) for yuyv,
        (H * 3/2, W) for nv12, (H, W) uint16 for mono10 and mono12.
    frame_id, exposure_start_ns : int
        Of this frame, which may be later than the pose at hand.
    """

    pixels: npt.NDArray[Any]
    frame_id: int
    exposure_start_ns: int

    def __repr__(self) -> str:
        return f"Frame(frame_id={self.frame_id}, shape={self.pixels.shape}, dtype={self.pixels.dtype})"


Value = str | int | float | bool | None


class ProtocolSession(Interface):
    """What a protocol may ask its session for."""

    def frame(self) -> Frame | None:
        """The last processed frame of the protocol's camera; None where none came since it was last asked."""
        ...

    def note(self, name: str, **columns: Value) -> None:
        """Write a row into events.csv: event ``user``, this name, now, and columns of your own.

        Raises
        ------
        RecordError
            A column has a name that events.csv has already, or a value that no cell holds.
        """
        ...


class Protocol:
    """Base class of protocols in Python: ``protocol: {type: python, path: my_protocol.py:MyClass}``.

    All methods are called on one thread of their own. An exception ends the session, outputs safe first.
    ``self.session`` gives frames and writes rows into ``events.csv``.

    Attributes
    ----------
    frame : DeviceFrame or None
        Where the frames that the network sees lie on the GPU, set before `on_start`; None with other devices.
        The memory holds the newest frame, which may be newer than the pose.
    """

    frame: DeviceFrame | None = None

    _session: ProtocolSession | None = None  # given by the host before on_start

    @property
    def session(self) -> ProtocolSession:
        """What a protocol may ask its session for: frames, and rows of events.csv."""
        if self._session is None:
            raise FastposeError(f"{type(self).__name__} has no session yet; allowed: from on_start on")
        return self._session

    def on_start(self, outputs: Outputs) -> None:
        """Run once, before the first pose."""

    def on_pose(self, pose: Pose, outputs: Outputs) -> None:
        """Run for every pose, in order."""
        raise NotImplementedError(f"{type(self).__name__} has no on_pose(pose, outputs)")

    def on_stop(self) -> None:
        """Run once, after the last pose; outputs are safe already."""
