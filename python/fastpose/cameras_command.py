"""The command ``fastpose cameras``: every device of every driver, and why a driver has none."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field

from rich.console import Console
from rich.table import Table
from rich.text import Text

from fastpose.drivers import DRIVERS, DriverAbsent, FoundCamera, driver_of
from fastpose.errors import CameraError

__all__ = ["DriverState", "as_json", "look_for_cameras", "print_cameras"]

USES = {
    "sim": "a simulated animal with known keypoints",
    "video": "files that FFmpeg reads",
    "pylon": "Basler",
    "aravis": "GigE Vision and USB3 Vision of any maker",
    "v4l2": "Linux webcams and frame grabbers",
    "stream": "network cameras (RTSP, HTTP); webcams on Windows and macOS",
    "realsense": "Intel RealSense",
}
_NAMED_BY = {"video": "path: a file", "stream": "url: an address of the network"}


@dataclass(frozen=True)
class DriverState:
    """What one driver found.

    Attributes
    ----------
    driver, use : str
        Its name in configs, and what it is for.
    absent : str
        Why it cannot work here and what to install; empty where it can.
    cameras : list of FoundCamera
    """

    driver: str
    use: str
    absent: str = ""
    cameras: list[FoundCamera] = field(default_factory=list)

    @property
    def text(self) -> str:
        """In words."""
        if self.absent:
            return self.absent
        if self.cameras:
            return f"ready, {len({camera.serial for camera in self.cameras})} found"
        named_by = _NAMED_BY.get(self.driver)
        return f"ready, {named_by}" if named_by else "ready, no camera found"


def look_for_cameras() -> list[DriverState]:
    """Ask every driver; one that cannot work says why, and keeps no other from being asked."""
    return [_look(driver) for driver in DRIVERS]


def as_json(states: list[DriverState]) -> str:
    """For programs: a list of drivers, each with its cameras."""
    return json.dumps([{**asdict(state), "ready": not state.absent} for state in states], indent=2)


def print_cameras(states: list[DriverState], console: Console) -> None:
    """A table of cameras and one of drivers."""
    cameras = [camera for state in states for camera in state.cameras]
    if cameras:
        console.print(_table_of_cameras(cameras))
        console.print()
    console.print(_table_of_drivers(states))


def _look(driver: str) -> DriverState:
    use = USES.get(driver, "")
    try:
        return DriverState(driver, use, cameras=driver_of(driver).found())
    except DriverAbsent as absent:
        return DriverState(driver, use, absent=str(absent))
    except (CameraError, ImportError) as error:
        return DriverState(driver, use, absent=f"cannot be asked: {error}")


def _table_of_cameras(cameras: list[FoundCamera]) -> Table:
    table = Table(
        "driver", "serial", "camera", "formats", "largest", "rates, Hz", "", box=None, padding=(0, 2, 0, 0)
    )
    for camera in cameras:
        size = "{}x{}".format(*camera.size) if camera.size else ""
        table.add_row(
            camera.driver,
            Text(camera.serial or "-"),
            Text(camera.name),
            ", ".join(camera.formats),
            size,
            _rates(camera.rates_hz),
            Text(camera.note, style="yellow"),
        )
    return table


def _table_of_drivers(states: list[DriverState]) -> Table:
    table = Table("driver", "for", "state", box=None, padding=(0, 2, 0, 0))
    for state in states:
        table.add_row(state.driver, state.use, Text(state.text, style="yellow" if state.absent else "green"))
    return table


def _rates(rates_hz: tuple[float, ...]) -> str:
    texts = [f"{rate:g}" for rate in rates_hz]
    return " to ".join(texts) if len(texts) == 2 else ", ".join(texts)
