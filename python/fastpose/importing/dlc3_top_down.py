"""The first half of a top-down network of DeepLabCut 3: a detector, and the crops around what it finds."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fastpose.errors import ModelError
from fastpose.importing.dlc3_config import Dlc3Config, colormode_of, inference_of, normalisation
from fastpose.importing.extra import require
from fastpose.importing.reference_crop import crop_and_way_back, is_tie

if TYPE_CHECKING:
    from fastpose.importing.networks.detectors import BoxDetector
    from fastpose.importing.networks.pose_network import PoseNetwork

__all__ = ["FILE", "TopDown", "read_top_down"]

FILE = "detector.onnx"
MIN_SCORE = 0.6
"""Of a box that counts, in DeepLabCut as in DeepLabCut-live."""
BOX_NOISE = 0.01
"""px by which two correct computations of a trained detector differ; corners of crops are rounded."""


class TopDown:
    """A detector with its weights.

    Parameters
    ----------
    detector : BoxDetector
    fields : dict
        ``detector`` of model.yaml.
    architecture : str
        In words.
    """

    def __init__(self, detector: BoxDetector, fields: dict[str, Any], architecture: str) -> None:
        self.detector, self.fields, self.architecture = detector, fields, architecture

    def export(self, path: Path) -> None:
        """Write the detector as ONNX."""
        path.write_bytes(self.detector.export(480, 640))

    def poses(
        self, frame: npt.NDArray[np.uint8], network: PoseNetwork, description: Mapping[str, Any]
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]]:
        """What the tool finds in a frame (H, W, 3): poses (N, K, 3), best box first, and ties (N, K)."""
        count = max(1, len(description["individuals"]))
        shape = (count, len(description["bodyparts"]))
        poses, ties = np.full((*shape, 3), np.nan, np.float32), np.zeros(shape, bool)
        for row, box in enumerate(self._boxes(frame)[:count]):
            crop, scale, offset = crop_and_way_back(frame, box, self.fields)
            tensor = _normalised(crop, description["normalisation"])
            found, tied = network.decode(network.maps(tensor))
            poses[row], ties[row] = found[0, 0], tied[0, 0] | is_tie(box, self.fields, BOX_NOISE)
            poses[row, :, :2] = found[0, 0, :, :2] * scale + offset
        return poses, ties

    def _boxes(self, frame: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        torch = require("torch")
        tensor = _normalised(frame, self.fields["normalisation"])
        with torch.inference_mode():
            boxes, scores = (values.numpy() for values in self.detector.eval()(torch.from_numpy(tensor)))
        return np.asarray(boxes[scores >= self.fields["min_score"]], np.float32)


def read_top_down(
    config: Dlc3Config, state: Mapping[str, Any] | None, where: str, *, antialias: bool
) -> TopDown:
    """Build the detector of a top-down config with its weights.

    Parameters
    ----------
    config : Dlc3Config
        Its method is td.
    state : mapping, optional
        State dict of the detector.
    where : str
        For errors.
    antialias : bool
        How the tool that runs such files shrinks a crop: with (DeepLabCut-live) or without (DeepLabCut).

    Raises
    ------
    ModelError
        There is no detector, it is not supported, or its weights do not fit it.
    """
    from fastpose.importing.networks.pose_network import load_weights

    section = config.raw.get("detector")
    if not isinstance(section, Mapping) or not isinstance(section.get("model"), Mapping) or not state:
        raise ModelError(
            f"{where}: method td (top-down) without a detector; train or export it together with one, "
            "or use a bottom-up network"
        )
    if config.unique_bodyparts:
        raise ModelError(f"{where}: unique body parts with method td; allowed: bu (bottom-up)")
    detector = _detector(section["model"], where)
    load_weights(detector, state, where)
    architecture = str(section["model"].get("variant") or section["model"]["type"])
    return TopDown(detector, _fields(config, section, where, antialias), architecture)


def _detector(section: Mapping[str, Any], where: str) -> BoxDetector:
    from fastpose.importing.networks.table import DETECTORS

    kind = section.get("type")
    if kind not in DETECTORS:
        raise ModelError(f"{where}: detector {kind} cannot be imported; supported: {', '.join(DETECTORS)}")
    try:
        return DETECTORS[kind](section)
    except ModelError as error:
        raise ModelError(f"{where}: {error}") from None


def _fields(config: Dlc3Config, section: Mapping[str, Any], where: str, antialias: bool) -> dict[str, Any]:
    data = section.get("data") or {}
    mode = colormode_of(data, where)
    if mode != "RGB":
        raise ModelError(f"{where}: detector.data.colormode is {mode!r}; allowed: RGB")
    scale, offset = normalisation(inference_of(data, where), mode)
    crop = config.inference.get("top_down_crop") or {}
    return {
        "file": FILE,
        "kind": "boxes",
        "outputs": ["boxes", "scores"],
        "normalisation": {"scale": list(scale), "offset": list(offset)},
        "min_score": MIN_SCORE,
        "crop_size": list(config.crop_size or ()),
        "crop": "scaled",
        "antialias": antialias,
        "margin_px": float(crop.get("margin") or 0),
    }


def _normalised(image: npt.NDArray[np.uint8], constants: Mapping[str, Any]) -> npt.NDArray[np.float32]:
    """(H, W, 3) to (1, 3, H, W)."""
    scale, offset = (np.array(constants[key], np.float32) for key in ("scale", "offset"))
    return np.ascontiguousarray((image.astype(np.float32) * scale + offset).transpose(2, 0, 1)[None])
