"""Programs with a V4L2 device in front of them that the preloaded library plays."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from tools.v4l2_preload import environment

WIDTH, HEIGHT = 160, 120


@dataclass(frozen=True)
class FakeDevice:
    """A device file that exists in programs started with `prefix`."""

    library: Path
    folder: Path
    rate_hz: int = 200

    @property
    def path(self) -> Path:
        return self.folder / "video42"

    @property
    def cable(self) -> Path:
        """The device is gone while this file exists."""
        return self.folder / "unplugged"

    def variables(self, **settings: str | int) -> dict[str, str]:
        given = {
            "modes": f"GREY:{WIDTH}x{HEIGHT}@{self.rate_hz}",
            "log": self.folder / "device.json",
            "unplugged": self.cable,
            **settings,
        }
        return environment(self.library, self.path, **{name: str(value) for name, value in given.items()})

    def prefix(self, **settings: str | int) -> tuple[str, ...]:
        """What goes before a command."""
        return ("env", *(f"{name}={value}" for name, value in self.variables(**settings).items()))

    def camera(self, **values: Any) -> dict[str, Any]:
        """The camera's section of a config."""
        asked = {"rate_hz": self.rate_hz, "exposure_us": 2000, "pixel_format": "mono8"}
        return {"driver": "v4l2", "device": str(self.path), "size": [WIDTH, HEIGHT], **asked, **values}

    @property
    def counted(self) -> list[dict[str, int]]:
        """What the device did, a row for each time that it was stopped."""
        return [json.loads(line) for line in (self.folder / "device.json").read_text().splitlines()]


def pattern(sequence: int, shape: tuple[int, int] = (HEIGHT, WIDTH)) -> npt.NDArray[np.uint8]:
    """The device's frame with this number; see fake_pixel() in tests/cpp/fake_v4l2.h."""
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    return np.asarray((columns + 2 * rows + 3 * sequence) % 256, np.uint8)
