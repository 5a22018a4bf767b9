"""Makes the configs of the conditions, and the video file that some of them play."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import av
import numpy as np
from benches.latency.conditions import FAKE, Condition
from benches.latency.zones import comb, half_plane

from fastpose.config import Config, config_from
from fastpose.model_package import read_model_package
from fastpose.sim import Simulation

__all__ = ["DEMO", "Workspace"]

DEMO = "builtin:simulated_mouse"
PACKAGE = Path(__file__).parents[2] / "python" / "fastpose" / "models" / "simulated_mouse"
REPEATED = {True: 32, False: 2}  # frames rendered before the start, with stored maps and with a network
SEED = 3
EXPOSURE_MS, TRANSFER_MS = 2.0, 0.5  # of the simulated camera, both inside exposure_start to anything
ENCODER = {"codec": "libx264"}
BUSY_PROTOCOL = f"{Path(__file__).with_name('busy_protocol.py')}:BusyProtocol"


class Workspace:
    """A folder for the sessions and videos of one bench."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._zones: dict[Condition, tuple[str, dict[str, Any]]] = {}

    def config(self, condition: Condition, seconds: float) -> Config:
        """Return the config that runs a condition for so long; makes what it needs the first time."""
        bodypart, zone = self._zone(condition)
        return config_from(
            {
                "session": _session(condition, self.folder, seconds),
                "cameras": {"top": self._camera(condition, exposures_in(condition, seconds))},
                "model": _model(condition),
                "zones": {"zone": zone},
                "rules": {"inside": _rule(bodypart)},
                "outputs": {"line": {"driver": "sim"}},
                "protocol": _protocol(condition),
                "record": {"video": ENCODER if condition.record else None},
                "engine": dict(condition.engine),
            }
        )

    def clear(self, session: Path) -> None:
        """Delete a session folder."""
        shutil.rmtree(session, ignore_errors=True)

    def _zone(self, condition: Condition) -> tuple[str, dict[str, Any]]:
        if condition not in self._zones:
            package = read_model_package(PACKAGE)
            if condition.network == FAKE:
                cells = int(condition.input_size[0] // package.stride)
                self._zones[condition] = package.bodyparts[0], comb(condition.frame_size, cells)
            else:
                frames = [_simulation(condition).render(index)[0] for index in range(2)]
                self._zones[condition] = half_plane(condition.network, frames)
        return self._zones[condition]

    def _camera(self, condition: Condition, exposures: int) -> dict[str, Any]:
        if condition.camera == "video":
            path = str(self._video(condition, exposures))
            return {"driver": "video", "path": path, "pixel_format": "mono8", "rate_hz": condition.rate_hz}
        return {
            "driver": "sim",
            **_simulated(condition),
            "transfer_ms": TRANSFER_MS,
            "prerender_frames": REPEATED[condition.network == FAKE],
            "frames_total": exposures,
        }

    def _video(self, condition: Condition, exposures: int) -> Path:
        """The simulated camera's frames as a file, made once."""
        width, height = condition.frame_size
        path = self.folder / f"{width}x{height}_{exposures}.mkv"
        if not path.exists():
            simulation = _simulation(condition)
            frames = [simulation.render(index)[0] for index in range(REPEATED[True])]
            _encode(path, [frames[index % len(frames)] for index in range(exposures)], condition.rate_hz)
        return path


def exposures_in(condition: Condition, seconds: float) -> int:
    """Frames that the camera delivers before it ends by itself."""
    return max(1, round(seconds * condition.rate_hz))


def _session(condition: Condition, folder: Path, seconds: float) -> dict[str, Any]:
    # The source ends the session; the duration is for one that does not.
    return {"subject": condition.name, "directory": str(folder / "sessions"), "duration_s": 3 * seconds + 20}


def _simulated(condition: Condition) -> dict[str, Any]:
    return {
        "size": condition.frame_size,
        "rate_hz": condition.rate_hz,
        "exposure_us": 1000 * EXPOSURE_MS,
        "seed": SEED,
    }


def _simulation(condition: Condition) -> Simulation:
    return Simulation(**_simulated(condition))


def _model(condition: Condition) -> dict[str, Any]:
    if condition.network == FAKE:
        return {"path": str(PACKAGE), "device": "fake", "input_size": condition.input_size}
    return {"path": condition.network, "device": "cpu", "input_size": condition.input_size}


def _rule(bodypart: str) -> dict[str, Any]:
    return {"type": "in_zone", "zone": "zone", "bodyparts": [bodypart], "min_likelihood": 0.0}


def _protocol(condition: Condition) -> dict[str, Any]:
    if condition.protocol == "python":
        return {"type": "python", "path": BUSY_PROTOCOL}
    return {"type": "conditional", "when": "inside", "do": {"line": "follow"}}


def _encode(path: Path, frames: list[np.ndarray[Any, np.dtype[np.uint8]]], rate_hz: float) -> None:
    height, width = frames[0].shape
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=round(rate_hz))
        stream.width, stream.height, stream.pix_fmt = width, height, "gray"
        stream.options = {"preset": "ultrafast", "crf": "18"}
        for pixels in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="gray")))
        container.mux(stream.encode(None))
