"""DeepLabCut's detectors (SSDLite, Faster R-CNN) under its parameter names; needs torchvision, at import alone."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from fastpose.errors import ModelError
from fastpose.importing.extra import require

__all__ = ["VARIANTS", "BoxDetector", "build_fasterrcnn", "build_ssdlite"]

VARIANTS = ("fasterrcnn_mobilenet_v3_large_fpn", "fasterrcnn_resnet50_fpn", "fasterrcnn_resnet50_fpn_v2")
CLASSES = 2  # background and animal


class BoxDetector(nn.Module):
    """Normalised frames (1, 3, h, w) to boxes (n, 4) x1, y1, x2, y2 in their px, and scores (n,), best first.

    Resizing, its second normalisation, anchors and non-maximum suppression are inside.
    """

    outputs = ("boxes", "scores")

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, frames: Tensor) -> tuple[Tensor, Tensor]:
        """See the class; one frame."""
        found = self.model([frames[0]])[0]
        return found["boxes"], found["scores"]

    def export(self, height: int, width: int) -> bytes:
        """An ONNX graph for frames of any size; a frame of this one is run to write it."""
        frame = torch.linspace(-2, 2, 3 * height * width).reshape(1, 3, height, width)
        file = io.BytesIO()
        with _any_count_of_boxes():
            torch.onnx.export(
                self.eval(),
                (frame,),
                file,
                dynamo=False,
                opset_version=17,
                input_names=["frame"],
                output_names=list(self.outputs),
                dynamic_axes={"frame": {2: "height", 3: "width"}, "boxes": {0: "n"}, "scores": {0: "n"}},
            )
        return file.getvalue()


@contextmanager
def _any_count_of_boxes() -> Iterator[None]:
    yield


def build_ssdlite(config: Mapping[str, Any]) -> nn.Module:
    """The detector that `detector.model` of a DeepLabCut config describes, of type SSDLite."""
    detection = require("torchvision.models.detection")
    return BoxDetector(
        detection.ssdlite320_mobilenet_v3_large(
            weights=None, weights_backbone=None, num_classes=CLASSES, box_score_thresh=_threshold(config)
        )
    )


def build_fasterrcnn(config: Mapping[str, Any]) -> nn.Module:
    """The detector that `detector.model` of a DeepLabCut config describes, of type FasterRCNN.

    Raises
    ------
    ModelError
        Its variant is none of `VARIANTS`.
    """
    variant = str(config.get("variant", VARIANTS[0]))
    if variant not in VARIANTS:
        raise ModelError(f"detector variant is {variant!r}; supported: {', '.join(VARIANTS)}")
    build = getattr(require("torchvision.models.detection"), variant)
    return BoxDetector(
        build(weights=None, weights_backbone=None, num_classes=CLASSES, box_score_thresh=_threshold(config))
    )


def _threshold(config: Mapping[str, Any]) -> float:
    return float(config.get("box_score_thresh", 0.01))
