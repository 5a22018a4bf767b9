"""The simulated animal by frame number: frames with known keypoints, without a camera's clock."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypedDict

import numpy as np
import numpy.typing as npt
from typing_extensions import Unpack

from fastpose import _core

__all__ = ["Fate", "SimFields", "Simulation"]

Fate = _core.SimFate


class SimFields(TypedDict, total=False):
    """What a simulation can be asked for: the keys and defaults of a simulated camera in the config."""

    shape: Literal["mouse", "rat", "vole"]
    coat: Literal["auto", "dark", "light"]
    size: tuple[int, int]
    rate_hz: float
    exposure_us: float
    pixel_format: str
    seed: int
    individuals: int
    body_length_px: float | None
    lighting: Mapping[str, float]
    noise: float
    motion_blur: bool
    occlusion: float
    faults: Mapping[str, float | None]
    prerender_frames: int | None


class Simulation:
    """A moving animal in an arena, seen from above.

    Every frame is a pure function of the fields and its index, so that any frame can be asked for at any
    time. The animal's walk repeats after some minutes (`period_s`).

    Parameters
    ----------
    **fields
        Keys of a simulated camera in the config: shape, size (width, height; px), seed, lighting, noise, ...

    Raises
    ------
    ConfigError
        When a value is out of its range; the text names the field, the value and what is allowed.
    TypeError
        When a field is unknown.

    Examples
    --------
    >>> simulation = Simulation(shape="mouse", size=(640, 480), seed=7)
    >>> frame, keypoints = simulation.render(100)
    >>> frame.shape, keypoints.shape
    ((480, 640), (1, 5, 3))
    """

    def __init__(self, **fields: Unpack[SimFields]) -> None:
        self._core = _core.Simulation(**fields)

    @property
    def bodyparts(self) -> list[str]:
        """Names of the keypoints, in their order."""
        return self._core.bodyparts

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of a frame, px."""
        width, height = self._core.spec.size
        return width, height

    @property
    def body_length_px(self) -> float:
        """Length from snout to tail base that the shape has at this size, px."""
        return self._core.spec.body_length_px

    @property
    def period_s(self) -> float:
        """Time after which the first individual's walk repeats, s."""
        return self._core.period_s

    def render(self, index: int) -> tuple[npt.NDArray[Any], npt.NDArray[np.float32]]:
        """Frame `index` as the camera delivers it, and where the keypoints are.

        Returns
        -------
        frame
            (H, W) uint8 for mono8 and Bayer formats, (H, W, 3) for rgb8 and bgr8, (H, W, 2) for yuyv,
            (H * 3/2, W) for nv12; (H, W) uint16 for mono10 and mono12. Torn if that is its fate.
        keypoints
            (individuals, bodyparts, 3) float32: x, y in full-frame sensor pixels (the centre of the first
            pixel is (0, 0)) in the middle of the exposure, and 1 where visible, 0 where hidden.
        """
        return self._core.render(index)

    def truth(self, index: int) -> npt.NDArray[np.float32]:
        """Keypoints of frame `index` alone, as `render` gives them."""
        return self._core.truth(index)

    def fate(self, index: int) -> Fate:
        """What happens to frame `index` on its way: dropped, late, torn (from tear_row on), failed."""
        return self._core.fate(index)

    def __repr__(self) -> str:
        spec = self._core.spec
        width, height = self.size
        return f"Simulation({spec.shape}, {width}x{height} {spec.pixel_format}, seed {spec.seed})"
