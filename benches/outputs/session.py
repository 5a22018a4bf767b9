"""One session that answers every frame with a pulse, and what its records and the device say of it."""

from __future__ import annotations

import itertools
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq
from benches.latency.loads import beside
from benches.latency.segment import granted_to
from benches.latency.spans import summary
from benches.outputs.device import listening
from benches.outputs.every_frame import PULSE_MS

from fastpose import Rig
from fastpose.config import Config, config_from
from fastpose.session.events import EVENTS, event_records
from fastpose.session.source import read_session

__all__ = ["RATE_HZ", "SPANS", "measure", "numbers"]

RATE_HZ = 100.0
SIZE = (640, 512)
SPANS = ("decided_to_byte", "decided_to_acted", "width_error", "width_error_at_device")
_NS_PER_MS = 1_000_000
Times = npt.NDArray[np.int64]


def measure(pulses: int, load: str) -> dict[str, Any]:
    """A session of so many pulses beside a load of `benches.latency.loads`.

    Returns
    -------
    dict
        Percentiles as `benches.latency.spans.summary`: ``decided_to_byte``, ``width_error_at_device`` and, by
        the interlock's own stamps, ``width_error``; what was granted.
    """
    with tempfile.TemporaryDirectory(prefix="fastpose-outputs-") as folder, listening() as device:
        rig = Rig(config(Path(folder), device.path, pulses), feed=False)
        with rig:
            with beside(load):
                rig.run()
            granted = granted_to(rig)
        said = device.stop()
        decided, highs, lows = _edges(rig.directory)
    at_device = _pulses_of([at for at in said if chr(at[1]) in "HL"])
    return {"load": load, "granted": granted, **numbers(decided, highs, lows, at_device)}


def config(folder: Path, port: str, pulses: int) -> Config:
    """The session."""
    return config_from(
        {
            "session": {"subject": "outputs", "directory": str(folder)},
            "cameras": {
                "top": {
                    "driver": "sim",
                    "size": SIZE,
                    "rate_hz": RATE_HZ,
                    "prerender_frames": 30,
                    "frames_total": pulses,
                }
            },
            "model": {"path": "builtin:simulated_mouse", "input_size": [256, 208], "threads": 1},
            "outputs": {"laser": {"driver": "serial", "port": port, "max_on_ms": 1000}},
            "protocol": {"type": "cython", "module": "benches.outputs.every_frame"},
            "record": {"video": None},
        }
    )


def _edges(session: Path) -> tuple[Times, Times, Times]:
    """When each pulse was decided, began and ended; ns. Those that had ended before the next one."""
    events = event_records(read_session(session))
    mine = events[events["kind"] == EVENTS.index("output")]
    begins = np.flatnonzero((mine["value"][:-1] == 1) & (mine["value"][1:] == 0))
    frames = pq.read_table(session / "frames.parquet", columns=["frame_id", "decided_ns"])
    highs = mine[begins]
    rows = np.searchsorted(frames["frame_id"].to_numpy(), highs["frame_id"])
    return (
        frames["decided_ns"].to_numpy()[rows].astype(np.int64),
        highs["stamp_ns"].astype(np.int64),
        mine[begins + 1]["stamp_ns"].astype(np.int64),
    )


def _pulses_of(said: list[tuple[int, int]]) -> tuple[Times, Times]:
    """When each high and the low after it arrived; ns."""
    pairs = [
        (high[0], low[0])
        for high, low in itertools.pairwise(said)
        if (chr(high[1]), chr(low[1])) == ("H", "L")
    ]
    found = np.array(pairs, np.int64).reshape(-1, 2)
    return found[:, 0], found[:, 1]


def numbers(decided: Times, highs: Times, lows: Times, device: tuple[Times, Times]) -> dict[str, Any]:
    """Percentiles of what the records and the device say of the same pulses, in their order; ns.

    Raises
    ------
    RuntimeError
        A pulse was not heard.
    """
    heard, fell = device
    if len(heard) != len(highs):
        raise RuntimeError(f"{len(highs)} pulses were sent, the device heard {len(heard)}")
    width_ns = round(PULSE_MS * _NS_PER_MS)
    return {
        "decided_to_byte": summary(heard - decided),
        "decided_to_acted": summary(highs - decided),
        "width_error": summary(np.abs(lows - highs - width_ns)),
        "width_error_at_device": summary(np.abs(fell - heard - width_ns)),
    }
