"""The conditions of the bench: which camera and network, what else runs, and what it is compared with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from benches.chosen import chosen_of

__all__ = ["CONDITIONS", "FAKE", "Condition", "chosen"]

FAKE = "fake"
Load = Literal["none", "python_thread", "garbage", "cores"]


@dataclass(frozen=True)
class Condition:
    """One way to run the engine.

    Attributes
    ----------
    name, about : str
    camera : {"sim", "video"}
        The simulated camera, a thread of the engine; or a file played by a process of its own.
    frame_size, input_size : tuple of int
        Width and height of the frame and of the network's input, px. Frames are mono8.
    rate_hz : float
    network : str
        Path of a model package, or `FAKE` for stored maps in its place.
    protocol : {"conditional", "python"}
        conditional: an output edge in every frame; python: `busy_protocol.BusyProtocol` beside the loop.
    record : bool
        Every frame is encoded by the encoder process.
    load : {"none", "python_thread", "garbage", "cores"}
        What computes beside it: a Python thread of this process, one that collects garbage all the time, or a
        process for each core.
    baseline : str
        The condition that this one's p50 is divided by.
    engine : tuple of (str, value)
        Of the config's section; the others have their defaults.
    """

    name: str
    about: str
    camera: Literal["sim", "video"] = "sim"
    frame_size: tuple[int, int] = (1280, 1024)
    input_size: tuple[int, int] = (256, 256)
    rate_hz: float = 200.0
    network: str = FAKE
    protocol: Literal["conditional", "python"] = "conditional"
    record: bool = False
    load: Load = "none"
    baseline: str = ""
    engine: tuple[tuple[str, Any], ...] = ()

    @property
    def source(self) -> str:
        """Camera and network in one line."""
        (w, h), (iw, ih) = self.frame_size, self.input_size
        network = "no network" if self.network == FAKE else self.network.removeprefix("builtin:")
        return f"{self.camera} {w}x{h} mono8 at {self.rate_hz:g} Hz -> {iw}x{ih}, {network}"


def _network(rate_hz: float) -> Condition:
    return Condition(
        f"network_{rate_hz:g}hz",
        "with the demo network",
        frame_size=(640, 480),
        input_size=(640, 480),
        rate_hz=rate_hz,
        network="builtin:simulated_mouse",
    )


# For a frame of 1280x1024 the encoder takes 3 ms of a core and the video host 2.5 ms: two cores hold 200 Hz
# of that, also beside a busy protocol, which would take a whole core.
CONDITIONS = (
    Condition("idle", "nothing beside it"),
    Condition("python_thread", "busy Python thread in the process", load="python_thread", baseline="idle"),
    Condition("python_protocol", "busy Python protocol beside the loop", protocol="python", baseline="idle"),
    Condition("busy_cores", "a busy process for each core", load="cores", baseline="idle"),
    Condition("recorder", "recording every frame", record=True, baseline="idle"),
    Condition("video", "video camera, recording", camera="video", rate_hz=200.0, record=True),
    Condition(
        "video_python_protocol",
        "video camera, recording, busy Python protocol",
        camera="video",
        rate_hz=200.0,
        record=True,
        protocol="python",
        baseline="video",
    ),
    _network(30.0),
    _network(100.0),
)


def chosen(names: str) -> tuple[Condition, ...]:
    """Return the conditions of a comma-separated list, in the bench's order; all for an empty one.

    Raises
    ------
    ValueError
        A name is none of `CONDITIONS`.
    """
    return chosen_of(CONDITIONS, names, what="condition")
