"""OpenVINO called plainly from Python: its defaults and a static shape, NumPy and OpenCV around it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import openvino

sys.path.insert(0, str(Path(__file__).resolve().parent))
from plain import decode, tensor  # type: ignore[import-not-found]  # beside this file


class Tool:
    """A compiled model.onnx; see `ort.Tool`."""

    def __init__(self, frame: Any, onnx: str, network: dict[str, Any], **_: Any) -> None:
        self._before, self._after = network["to_tensor"], network["from_maps"]
        self._tensor = tensor(frame, **self._before)
        core = openvino.Core()
        model = core.read_model(onnx)
        model.reshape(self._tensor.shape)
        self._compiled = core.compile_model(model, "CPU")
        self._request = self._compiled.create_infer_request()
        self._names = network["outputs"]
        self.network()

    def about(self) -> dict[str, Any]:
        """Threads and precision, as it chose them."""
        precision = self._compiled.get_property("INFERENCE_PRECISION_HINT").get_type_name()
        return {
            "threads": self._compiled.get_property("INFERENCE_NUM_THREADS"),
            "precision": {"f32": "fp32"}.get(precision, precision),
        }

    def pose(self, frame: Any) -> Any:
        """(K, 3)."""
        return decode(self._maps(tensor(frame, **self._before)), **self._after)

    def network(self) -> Any:
        """Maps of the first frame."""
        return self._maps(self._tensor)

    def _maps(self, values: Any) -> list[Any]:
        self._request.infer([values], share_inputs=True)
        return [self._request.get_tensor(name).data for name in self._names]
