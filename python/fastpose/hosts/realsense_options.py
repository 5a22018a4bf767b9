"""How a RealSense camera is opened and played; imports nothing of its SDK."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["RealSenseOptions", "StreamChoice"]


@dataclass(frozen=True)
class StreamChoice:
    """Which stream of which camera.

    Attributes
    ----------
    serial : str
        Empty: the only camera.
    stream : str
        "color", "infrared" or "depth".
    index : int
        Of infrared: 1 left, 2 right; else 0.
    size : tuple of int or None
        Width, height, px; None: the largest that has the rate.
    rate_hz : float or None
        None: the highest that the size has.
    pixel_format : str
        Of the ring.
    """

    serial: str = ""
    stream: str = "color"
    index: int = 0
    size: tuple[int, int] | None = None
    rate_hz: float | None = None
    pixel_format: str = "rgb8"

    def __post_init__(self) -> None:
        if self.size is not None:
            object.__setattr__(self, "size", tuple(self.size))


@dataclass(frozen=True)
class RealSenseOptions:
    """How a stream is played into a ring.

    Attributes
    ----------
    ring, camera : str
        Name of the ring in shared memory; name of the camera in the config.
    choice : StreamChoice
        Given as the dict of its fields.
    exposure_us : float or None
        None: as the camera is set, which is usually automatic.
    settings : dict of str to float
        Options of the sensor by librealsense's names.
    depth_range_mm : tuple of float or None
        White and black of depth.
    reconnect : bool
        Goes on trying when the camera is gone.
    nice : int
        Added to the process's niceness.
    cpus : tuple of int
        Cores that it keeps to; empty: any.
    """

    ring: str
    camera: str
    choice: StreamChoice
    exposure_us: float | None = None
    settings: dict[str, float] = field(default_factory=dict)
    depth_range_mm: tuple[float, float] | None = None
    reconnect: bool = False
    nice: int = 0
    cpus: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if isinstance(self.choice, dict):
            object.__setattr__(self, "choice", StreamChoice(**self.choice))
