"""Device files of V4L2 and what the system knows of the devices behind them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from fastpose.errors import CameraError

__all__ = ["Node", "nodes", "pick"]

DEVICES = Path("/dev")
LINKS = Path("/dev/v4l/by-id")
CLASS = Path("/sys/class/video4linux")


@dataclass(frozen=True)
class Node:
    """A device file.

    Attributes
    ----------
    path : Path
        As /dev/video0.
    stable_path : Path
        A link to it whose name stays the same when the camera is plugged in again; else `path`.
    serial : str
        Of the USB device; empty where it has none.
    name : str
        As the kernel calls it.
    """

    path: Path
    stable_path: Path
    serial: str = ""
    name: str = ""


def nodes() -> list[Node]:
    """Every /dev/video*, in order of their numbers."""
    paths = [path for path in DEVICES.glob("video*") if path.name[5:].isdigit()]
    links = _links()
    return [
        Node(path, links.get(path, path), _serial(path.name), _text(CLASS / path.name / "name"))
        for path in sorted(paths, key=lambda path: int(path.name[5:]))
    ]


def pick(here: Sequence[Node], serial: str | None, captures: Callable[[Node], bool]) -> Node:
    """The camera with this serial (or device file, or name); None: the only one.

    Raises
    ------
    CameraError
        There is none, or more than one; the text lists those that are there.
    """
    wanted = [node for node in here if serial is None or serial in (node.serial, str(node.path), node.name)]
    cameras = [node for node in wanted if captures(node)]
    if len(cameras) == 1:
        return cameras[0]
    listed = ", ".join(f"{node.serial or node.path} ({node.name or 'no name'})" for node in cameras or here)
    if not cameras:
        which = f"no camera has the serial '{serial}'" if serial is not None else "there is no camera"
        raise CameraError(f"{which}; here: {listed or 'no /dev/video* at all, check its cable'}")
    raise CameraError(f"{len(cameras)} cameras fit; set serial or device to one of: {listed}")


def _links() -> dict[Path, Path]:
    """Target -> link."""
    try:
        return {link.resolve(): link for link in sorted(LINKS.iterdir(), reverse=True)}
    except OSError:
        return {}


def _serial(name: str) -> str:
    """Of the USB device, which lies above its interface."""
    try:
        interface = (CLASS / name / "device").resolve(strict=True)
    except OSError:
        return ""
    return _text(interface / "serial") or _text(interface.parent / "serial")


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace").strip()
    except OSError:
        return ""
