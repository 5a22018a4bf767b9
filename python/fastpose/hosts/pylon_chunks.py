"""Chunk data: what a Basler camera sends along with each frame."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastpose.errors import CameraError
from fastpose.hosts.pylon_nodes import Nodes

__all__ = ["CHUNKS", "ChunkReader", "enable_chunks"]

CHUNKS: dict[str, dict[str, tuple[str, ...]]] = {
    "timestamp": {"Timestamp": ("ChunkTimestamp",)},
    "counter": {
        "CounterValue": ("ChunkCounterValue",),
        "Framecounter": ("ChunkFramecounter",),
        "FrameID": ("ChunkFrameID",),
    },
}
"""Ours; names of the camera's selector, the best first; names of the value in a grab result."""


def enable_chunks(nodes: Nodes, wanted: Sequence[str]) -> None:
    """Have the camera send these along.

    Raises
    ------
    CameraError
        It cannot.
    """
    if not wanted:
        return
    offered = _offered(nodes)
    for chunk in wanted:
        name = next((name for name in CHUNKS[chunk] if name in offered), None)
        if name is None:
            raise CameraError(f"chunks {chunk}: this camera sends none; allowed: {_allowed(offered)}")
        nodes.choose("chunks", name, "ChunkSelector")
        nodes.set_feature("ChunkEnable", True)
    if "ExposureStart" in nodes.choices("BslChunkTimestampSelector"):
        nodes.choose("chunks", "ExposureStart", "BslChunkTimestampSelector")
    if "counter" in wanted and "CounterValue" in offered:
        _count_frames(nodes)


class ChunkReader:
    """Reads one value out of each frame.

    Parameters
    ----------
    chunk : str
        "timestamp" or "counter".
    """

    def __init__(self, chunk: str) -> None:
        self._names = [name for names in CHUNKS[chunk].values() for name in names]
        self._name: str | None = None

    def __call__(self, result: Any) -> int | None:
        """The value of this frame; None: it has none."""
        if self._name is not None:
            return _value(result, self._name)
        for name in self._names:
            value = _value(result, name)
            if value is not None:
                self._name = name
                return value
        return None


def _value(result: Any, name: str) -> int | None:
    node = getattr(result, name, None)
    if node is None or not node.IsReadable():
        return None
    return int(node.Value)


def _offered(nodes: Nodes) -> list[str]:
    if nodes.writable("ChunkModeActive") is None:
        return []
    nodes.set_feature("ChunkModeActive", True)
    return nodes.choices("ChunkSelector")


def _allowed(offered: Sequence[str]) -> str:
    known = [chunk for chunk, names in CHUNKS.items() if any(name in offered for name in names)]
    return ", ".join(known) or "none"


def _count_frames(nodes: Nodes) -> None:
    """Let the camera's first counter count exposures; one that has no choice counts them anyway."""
    if "Counter1" in nodes.choices("CounterSelector"):
        nodes.choose("chunks", "Counter1", "CounterSelector")
    for source in ("ExposureStart", "FrameStart"):
        if source in nodes.choices("CounterEventSource"):
            nodes.choose("chunks", source, "CounterEventSource")
            break
    nodes.execute("CounterReset")
