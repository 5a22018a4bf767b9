"""What the process of a Basler camera is told, and what it tells back; imports nothing of pylon's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

__all__ = ["Delivered", "Line", "PylonOptions", "PylonSettings"]

Size = tuple[int, int]
Feature = bool | int | float | str


@dataclass(frozen=True)
class Line:
    """A line of the camera that is an output of the experiment.

    Attributes
    ----------
    name : str
        Of the output, for messages.
    line : str
        As the camera calls it: "Line2".
    user_output : str or None
        The camera's register behind it; None: the first that the line takes and no other output has.
    inverted : bool
        Whether the camera turns the level round.
    """

    name: str
    line: str
    user_output: str | None = None
    inverted: bool = False


@dataclass(frozen=True)
class PylonSettings:
    """How a camera is set; None: left as the camera, or its .pfs file, has it.

    Attributes
    ----------
    serial : str or None
        None: the only camera there is.
    emulated : bool
        A camera of pylon's own emulator instead of a real one.
    pfs : str or None
        Feature file of the pylon Viewer, loaded before everything else.
    features : mapping
        GenICam features by their names, set after everything else, in this order; "execute" runs a command.
    chunks : tuple of str
        What comes with each frame: "timestamp", "counter".
    lines : tuple of Line
        Outputs of the experiment, in the order of their block of shared memory.
    """

    serial: str | None = None
    emulated: bool = False
    pfs: str | None = None
    features: Mapping[str, Feature] = field(default_factory=dict)
    binning: Size | None = None
    size: Size | None = None  # width, height; px after binning
    offset: Size | None = None  # x, y; px after binning
    pixel_format: str | None = None
    rate_hz: float | None = None
    exposure_us: float | None = None
    gain_db: float | None = None
    trigger_source: Literal["internal", "software", "external_edge"] = "internal"
    trigger_line: str = "Line1"
    trigger_activation: Literal["rising", "falling"] = "rising"
    exposure_active_line: str | None = None
    chunks: tuple[str, ...] = ()
    lines: tuple[Line, ...] = ()

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> PylonSettings:
        """From the fields as JSON holds them: lists for tuples, a mapping for each line."""
        known: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in values.items()
        }
        known["lines"] = tuple(Line(**line) for line in values.get("lines", ()))
        return cls(**known)


@dataclass(frozen=True)
class Delivered:
    """What a camera really does once it is set, read back from it.

    Attributes
    ----------
    size : tuple of int
        Width, height; px.
    pixel_format : str
        Our name for it.
    buffer_bytes : int
        What the camera needs for a frame, chunks and all.
    rate_hz : float or None
        What it grants with this exposure and size; None with an external trigger.
    details : mapping
        Model, serial, firmware, PTP state, and what else session.json should know.
    """

    size: Size
    pixel_format: str
    buffer_bytes: int
    rate_hz: float | None
    exposure_us: float
    gain_db: float | None
    details: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Delivered:
        """From its fields as JSON holds them."""
        return cls(**{**values, "size": tuple(values["size"])})


@dataclass(frozen=True)
class PylonOptions:
    """The life of the process.

    Attributes
    ----------
    ring : str
        Name of the ring in shared memory.
    camera : str
        Its name in the config, for messages.
    settings : PylonSettings
    lines : str
        Name of the block in shared memory through which its outputs are commanded; empty: it has none.
    reconnect : bool
        Whether a camera that went away is waited for.
    nice : int
        Added to the process's niceness.
    cpus : tuple of int
        Cores that it keeps to; empty: any.
    spin_us : int
        Longest time for which it looks for a frame without sleeping; us.
    """

    ring: str
    camera: str
    settings: PylonSettings
    lines: str = ""
    reconnect: bool = False
    nice: int = 0
    cpus: tuple[int, ...] = ()
    spin_us: int = 0

    @classmethod
    def from_json(cls, *, settings: Mapping[str, Any], **values: Any) -> PylonOptions:
        """From its fields as JSON holds them."""
        values["cpus"] = tuple(values.get("cpus", ()))
        return cls(settings=PylonSettings.from_json(settings), **values)
