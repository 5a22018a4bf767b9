"""The session as a Python protocol sees it: frames on request, rows of its own in events.csv."""

from __future__ import annotations

from pathlib import Path

from fastpose import _core
from fastpose.hosts.common import shaped
from fastpose.pose import Pose
from fastpose.protocol import Frame, Value
from fastpose.session.user_rows import UserLog

__all__ = ["LiveProtocolSession"]


class LiveProtocolSession:
    """Of a running rig. Thread-bound: the protocol's thread.

    Parameters
    ----------
    engine : Engine
        Made with hold_frames.
    ring : Ring
        Of the protocol's camera.
    camera : tuple of str and int
        Name and index of that camera.
    folder : Path
        Of the session.
    """

    def __init__(self, engine: _core.Engine, ring: _core.Ring, camera: tuple[str, int], folder: Path) -> None:
        self._engine, self._ring, self._camera = engine, ring, camera
        self._log = UserLog(folder / "log")
        self.pose: Pose | None = None
        """The pose at hand; rows name its frame."""

    def frame(self) -> Frame | None:
        """See `fastpose.protocol.ProtocolSession`."""
        found = self._engine.newest_frame(self._camera[1])
        if found is None:
            return None
        frame_id, exposure_start_ns, pixels = found
        return Frame(shaped(self._ring, pixels), frame_id, exposure_start_ns)

    def note(self, name: str, **columns: Value) -> None:
        """See `fastpose.protocol.ProtocolSession`."""
        pose = self.pose
        stamps: dict[str, int | str | None] = {
            "stamp_ns": _core.now_ns(),
            "camera": self._camera[0],
            "frame_id": None if pose is None else pose.frame_id,
            "exposure_start_ns": None if pose is None else pose.exposure_start_ns,
        }
        self._log.append(name, stamps, columns)
