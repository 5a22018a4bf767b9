"""fastpose through its Python interface: `load_model(...).estimate`, and its backend alone."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastpose import _core
from fastpose.assembly.network import load_network
from fastpose.config import PixelFormat
from fastpose.model import TrackRoi, load_model

PRECISIONS = {"int8": "int8", "i8": "int8", "bf16": "bf16", "f32": "fp32", "fp32": "fp32"}
"""How a backend's description spells it."""


class Tool:
    """A model package.

    Parameters
    ----------
    package : str
        Its folder.
    precision : str
    roi : list of int, optional
        Width and height of the window that follows the animal, px.
    margin_px, min_likelihood :
        Of that window.
    """

    def __init__(
        self,
        frame: Any,
        package: str,
        precision: Any,
        roi: list[int] | None = None,
        margin_px: int = 20,
        min_likelihood: float = 0.5,
        **_: Any,
    ) -> None:
        track = None if roi is None else TrackRoi((roi[0], roi[1]), margin_px, min_likelihood)
        self._precision = precision
        self._format: PixelFormat = "mono8" if frame.ndim == 2 else "bgr8"
        self._model = load_model(package, device="cpu", precision=precision, track=track)
        self.pose(frame)
        alone = load_model(package, device="cpu", precision=precision)
        size = (roi[0], roi[1]) if roi else (frame.shape[1], frame.shape[0])
        self._backend = load_network(
            alone.package, alone._options, frame_size=size, pixel_format=self._format
        ).backend
        self._tensor = _tensor_of(self._backend)
        self.network()

    def about(self) -> dict[str, Any]:
        """What the backend says that it runs."""
        runs = self._backend.description
        named = [name for word, name in PRECISIONS.items() if word in runs]
        return {"runs": runs, "precision": "int8" if self._precision == "int8" else named[0] if named else ""}

    def pose(self, frame: Any) -> Any:
        """(K, 3)."""
        return np.asarray(self._model.estimate(frame, pixel_format=self._format))

    def network(self) -> Any:
        """Maps of a frame; those of the roi where one is tracked."""
        return self._backend.run(self._tensor)


def _tensor_of(backend: _core.Backend) -> Any:
    """An input, in the element type and layout that the network takes."""
    n, c, h, w = backend.input_shape
    element, layout = backend.input_format
    shape = (n, h, w, c) if layout == "nhwc" else (n, c, h, w)
    return np.zeros(shape, np.uint8 if element == "u8" else np.float32)
