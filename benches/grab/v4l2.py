"""A V4L2 camera for the grab bench: the preloaded device of tests/preload, driven by our C++ driver.

From DQBUF's return (``received``) until the loop has the frame (``dequeued``); USERPTR, 1280x1024 GREY.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import gettempdir
from typing import Any

from tools import v4l2_preload

__all__ = ["TARGET_US", "absent", "camera", "environment"]

TARGET_US = 20.0  # p50, of issue 5
_FOLDER = Path(gettempdir()) / "fastpose-fake-v4l2"
_SIZE, _RATE_HZ = (1280, 1024), 100


def absent() -> str:
    """Build the device; why that cannot be, empty where it can."""
    reason = v4l2_preload.absent()
    if not reason:
        v4l2_preload.build(_FOLDER)
    return reason


def environment() -> dict[str, str]:
    """Variables of the process in which the camera is opened; after `absent`."""
    _FOLDER.mkdir(exist_ok=True)
    mode = f"GREY:{_SIZE[0]}x{_SIZE[1]}@{_RATE_HZ}"
    return v4l2_preload.environment(_FOLDER / "libfake_v4l2.so", _FOLDER / "video0", modes=mode)


def camera(_folder: Path, _frames: int) -> dict[str, Any]:
    """The camera's section of the config."""
    return {"driver": "v4l2", "device": str(_FOLDER / "video0"), "size": _SIZE, "rate_hz": _RATE_HZ}
