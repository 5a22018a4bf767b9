"""The cameras of the grab bench: what makes each of them work on a machine without a camera."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from importlib.util import find_spec
from pathlib import Path
from shutil import which
from typing import Any

import av
from benches.grab import v4l2

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
        What the median of ``queued`` should not exceed.
    environment : callable
        Variables that its process needs from the start.
    companion : tuple of str
        Command that runs beside it, such as an emulator; empty: none.
    absent : callable
        Why it cannot work here; empty where it can. Asked before the environment.
    bench : callable or None
        From a number of frames to ``queued`` and numbers of its own, for a driver that is not in C++.
    """

    name: str
    about: str
    camera: Callable[[Path, int], dict[str, Any]]
    target_us: float | None = None
    environment: Callable[[], dict[str, str]] = dict
    companion: tuple[str, ...] = ()
    absent: Callable[[], str] = lambda: ""
    bench: Callable[[int], dict[str, Any]] | None = None


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


def _aravis(which_one: dict[str, Any], **gige: int) -> Callable[[Path, int], dict[str, Any]]:
    def camera(_folder: Path, _frames: int) -> dict[str, Any]:
        section = {"driver": "aravis", **which_one, "size": SIZE, "rate_hz": RATE_HZ}
        return {**section, "exposure_us": EXPOSURE_US, **({"gige": gige} if gige else {})}

    return camera


def _no_aravis() -> str:
    return "" if find_spec("fastpose._aravis") else "this fastpose was built without Aravis"


def _no_fake_gige() -> str:
    return _no_aravis() or ("" if which(FAKE_GIGE) else f"{FAKE_GIGE} is not installed (aravis-tools)")


def _pylon(_folder: Path, _frames: int) -> dict[str, Any]:
    section = {"driver": "pylon", "emulated": True, "size": SIZE, "rate_hz": RATE_HZ}
    return {**section, "exposure_us": EXPOSURE_US}


def _no_pylon() -> str:
    return "" if find_spec("pypylon") else "pypylon is not installed"


def _bench_pylon(frames: int) -> dict[str, Any]:
    from benches.grab import pylon

    return pylon.measure(frames=frames, size=SIZE, rate_hz=RATE_HZ)


FAKE_GIGE = "arv-fake-gv-camera-0.8"
SOURCES = (
    Source("sim", "simulated camera, C++", _simulated),
    Source("memory", "frames in memory, C++", _video(in_memory=True)),
    Source("video", "PyAV in a process of its own", _video(in_memory=False)),
    Source(
        "aravis", "Aravis, its camera in process, C++", _aravis({"simulated": True}), 20.0, absent=_no_aravis
    ),
    Source(
        "gige",
        "Aravis, its fake GigE camera on the loopback, C++",
        _aravis({"serial": "GVBENCH"}, packet_size=8000, frame_retention_ms=100),
        20.0,
        companion=(FAKE_GIGE, "-i", "127.0.0.1", "-s", "GVBENCH"),
        absent=_no_fake_gige,
    ),
    Source(
        "v4l2",
        "V4L2, a preloaded device, C++",
        v4l2.camera,
        v4l2.TARGET_US,
        environment=v4l2.environment,
        absent=v4l2.absent,
    ),
    Source(
        "pylon",
        "pylon's emulator, pypylon in a process of its own",
        _pylon,
        60.0,
        absent=_no_pylon,
        bench=_bench_pylon,
    ),
)
