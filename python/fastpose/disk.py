"""How much room a disk has, and how much of it the recording leaves to the session's log."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

__all__ = ["DiskRoom", "disk_room", "kept_free"]

MIB = 1 << 20
_KEPT_SHARE = 0.05  # of a small disk
_KEPT_MOST = 256 * MIB


@dataclass(frozen=True)
class DiskRoom:
    """Sizes of the disk that a folder lies on, bytes."""

    total: int
    free: int


def disk_room(folder: Path) -> DiskRoom:
    """Of the nearest folder that exists. Raises OSError where the system does not say."""
    existing = next(each for each in (folder, *folder.absolute().parents) if each.exists())
    usage = shutil.disk_usage(existing)
    return DiskRoom(usage.total, usage.free)


def kept_free(room: DiskRoom) -> int:
    """Bytes that the video leaves free: without its log a session cannot go on, and the log is small."""
    return min(_KEPT_MOST, int(room.total * _KEPT_SHARE))
