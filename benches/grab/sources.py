"""The cameras of the grab bench: what makes each of them work on a machine without a camera."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from fastpose.sim import Simulation

__all__ = ["RATE_HZ", "SIZE", "SOURCES", "Source"]

SIZE = (1280, 1024)
RATE_HZ = 100.0
EXPOSURE_US = 1000.0
REPEATED = 4  # frames rendered before the start


@dataclass(frozen=True)
class Source:
    """A camera that can be had anywhere.

    Attributes
    ----------
    name : str
    about : str
    camera : callable
        From a folder of one's own and a number of frames to the camera's section of the config.
    target_us : float or None
        What the median should not exceed.
    environment : dict
        Variables that its process needs from the start.
    companion : tuple of str
        Command that runs beside it, such as an emulator; empty: none.
    absent : callable
        Why it cannot work here; empty where it can.
    """

    name: str
    about: str
    camera: Callable[[Path, int], dict[str, Any]]
    target_us: float | None = None
    environment: dict[str, str] = field(default_factory=dict)
    companion: tuple[str, ...] = ()
    absent: Callable[[], str] = lambda: ""


def _simulated(_folder: Path, frames: int) -> dict[str, Any]:
    return {
        "driver": "sim",
        "size": SIZE,
        "rate_hz": RATE_HZ,
        "exposure_us": EXPOSURE_US,
        "prerender_frames": REPEATED,
        "frames_total": frames,
    }


def _file(folder: Path, frames: int) -> Path:
    """A grey video of so many frames."""
    path = folder / "frames.mkv"
    simulation = Simulation(size=SIZE, rate_hz=RATE_HZ)
    pictures = [simulation.render(index)[0] for index in range(REPEATED)]
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("libx264", rate=Fraction(RATE_HZ))
        stream.width, stream.height, stream.pix_fmt = *SIZE, "gray"
        stream.options = {"preset": "ultrafast", "crf": "18"}
        for index in range(frames):
            picture = av.VideoFrame.from_ndarray(pictures[index % REPEATED], format="gray")
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    return path


def _video(*, in_memory: bool) -> Callable[[Path, int], dict[str, Any]]:
    def camera(folder: Path, frames: int) -> dict[str, Any]:
        return {
            "driver": "video",
            "path": str(_file(folder, frames)),
            "in_memory": in_memory,
            "rate_hz": RATE_HZ,
        }

    return camera


SOURCES = (
    Source("sim", "simulated camera, C++", _simulated),
    Source("memory", "frames in memory, C++", _video(in_memory=True)),
    Source("video", "PyAV in a process of its own", _video(in_memory=False)),
)
