"""What a reader of another tool's model hands over, and what it may be asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Content", "Found", "Imported", "Options", "Reference"]

Content = bytes | Path | Callable[[Path], None]
"""A file of the package: its bytes, a file to copy, or a function that writes it to the path it is given."""


@dataclass(frozen=True)
class Options:
    """What the user asked for beside the source."""

    name: str | None = None
    """Name of the package; default: what the source is called."""
    snapshot: str | None = None
    """Name of the snapshot; default: the best, else the last."""
    shuffle: int | None = None
    """Number of the shuffle in a DeepLabCut project; default: the only one."""
    frames: Path | None = None
    """Video, image or folder of images for the reference; default: the project's own, else seeded ones."""
    individuals: int | None = None
    """Animals in a frame at most, where a model of several does not say it; default: what the source says."""


@dataclass(frozen=True)
class Reference:
    """Frames and what the source tool's mathematics gives on them."""

    frames: npt.NDArray[np.uint8]
    """(n, H, W) or (n, H, W, 3) rgb."""
    poses: npt.NDArray[np.float32]
    """(n, individuals, K, 3) x, y (full-frame px), likelihood; NaN: missing."""
    made_by: str
    """What computed them: "torch 2.13.0, fp32"."""
    ties: npt.NDArray[np.bool_] | None = None
    """(n, individuals, K): the two highest cells are closer than 1e-5, so that the place is no question of
    precision; None: not known."""


@dataclass(frozen=True)
class Imported:
    """A model package that only needs to be written."""

    description: dict[str, Any]
    """model.yaml without sha256; checked against `fastpose.model_package` when it is written."""
    files: Mapping[str, Content]
    """The network's file, and the detector's where there is one, by their names in the package."""
    reference: Reference
    found: tuple[tuple[str, str], ...] = ()
    """What was found, as label and text: the user reads it."""
    notes: tuple[str, ...] = ()
    """What the user should know, one line each."""


@dataclass(frozen=True)
class Found:
    """What a source is."""

    kind: str
    """Key of `READERS`."""
    description: str
    """In words."""
    read: Callable[[Path, Options], Imported] = field(repr=False)
