"""ONNX Runtime with its defaults, NumPy and OpenCV around it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import onnxruntime

sys.path.insert(0, str(Path(__file__).resolve().parent))
from plain import decode, tensor  # type: ignore[import-not-found]  # beside this file


class Tool:
    """A session on model.onnx.

    Parameters
    ----------
    onnx : str
        The package's network.
    network : dict
        ``to_tensor`` and ``from_maps``: arguments of `plain`; an empty ``from_maps``: no poses.
    """

    def __init__(self, frame: Any, onnx: str, network: dict[str, Any], threads: int, **_: Any) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self._session = onnxruntime.InferenceSession(onnx, options, providers=["CPUExecutionProvider"])
        self._input, self._about = self._session.get_inputs()[0].name, {"threads": threads}
        self._names, self._before, self._after = (
            network["outputs"],
            network["to_tensor"],
            network["from_maps"],
        )
        self._tensor = tensor(frame, **self._before)
        self.network()

    def about(self) -> dict[str, Any]:
        """Threads."""
        return self._about | {"precision": "fp32"}

    def pose(self, frame: Any) -> Any:
        """(K, 3)."""
        maps = self._session.run(self._names, {self._input: tensor(frame, **self._before)})
        return decode(maps, **self._after)

    def network(self) -> Any:
        """Maps of the first frame."""
        return self._session.run(self._names, {self._input: self._tensor})
