"""The network: which package, on which frames, on which device."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from fastpose.config.identity import Identity, MotionIdentity
from fastpose.config.types import BUILTIN, NUMBER, ConfigPath, Rectangle, Section, Size

_SHIPPED = Path(__file__).resolve().parents[1] / "models"


def package_folder(path: str | os.PathLike[str]) -> Path:
    """Where a package lies on disk: the path itself, or that of builtin:NAME."""
    text = os.fspath(path)
    return _SHIPPED / text.removeprefix(BUILTIN) if text.startswith(BUILTIN) else Path(path)


class Model(Section):
    """A model package and how it runs."""

    path: ConfigPath
    """Folder of the package, relative to the config file; or builtin:NAME for one that fastpose ships."""
    camera: str = ""
    """Camera whose frames it sees; default: the only camera."""
    device: Literal["cpu", "fake"] = "cpu"
    """cpu: OpenVINO; fake: stored outputs, for tests and benchmarks of everything but the network."""
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    threads: Annotated[int, Field(ge=1, le=256), NUMBER] | None = None
    """Threads of the network; null: the runtime's choice."""
    roi: Rectangle | None = None
    """Fixed crop that the network sees; null: the full frame."""
    input_size: Size | None = None
    """Width and height of the network's input, px; null: that of the roi, rounded up to the stride."""
    identity: Identity = MotionIdentity()
    """How each animal keeps its place in the pose; for networks that find several."""

    @property
    def folder(self) -> Path:
        """Where the package lies on disk."""
        return package_folder(self.path)
