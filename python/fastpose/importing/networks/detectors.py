"""DeepLabCut's detectors (SSDLite, Faster R-CNN) under its parameter names; needs torchvision to import."""

from __future__ import annotations

import io
import warnings
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
        with _exportable():
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


class _RoiAlign(torch.autograd.Function):
    """Stands for torchvision's roi_align, which needs its compiled part, while a graph is written."""

    @staticmethod
    def forward(
        context: Any, values: Tensor, rois: Tensor, size: list[int], scale: float, samples: int
    ) -> Tensor:
        """(n, 5) frame and box, to (n, C, size): of the right shape only."""
        return values.new_zeros(rois.shape[0], values.shape[1], *size)

    @staticmethod
    def symbolic(graph: Any, values: Any, rois: Any, size: list[int], scale: float, samples: int) -> Any:
        """The ONNX operation."""
        first, rest = (graph.op("Constant", value_t=torch.tensor(i)) for i in ([0], [1, 2, 3, 4]))
        frames = graph.op("Gather", rois, first, axis_i=1)
        axis = graph.op("Constant", value_t=torch.tensor([1]))
        frames = graph.op("Cast", graph.op("Squeeze", frames, axis), to_i=onnx_int64())
        return graph.op(
            "RoiAlign",
            values,
            graph.op("Gather", rois, rest, axis_i=1),
            frames,
            coordinate_transformation_mode_s="output_half_pixel",
            output_height_i=size[0],
            output_width_i=size[1],
            sampling_ratio_i=samples,
            spatial_scale_f=scale,
        )


def onnx_int64() -> int:
    """Number of the type in ONNX."""
    return int(require("onnx").TensorProto.INT64)


@contextmanager
def _exportable() -> Iterator[None]:
    poolers = require("torchvision.ops.poolers")

    def align(
        values: Tensor, rois: Tensor, output_size: Any, spatial_scale: float, sampling_ratio: int
    ) -> Any:
        return _RoiAlign.apply(values, rois, list(output_size), spatial_scale, sampling_ratio)

    original, poolers.roi_align = poolers.roi_align, align
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the tracer, about sizes that become constants
            yield
    finally:
        poolers.roi_align = original


def build_ssdlite(config: Mapping[str, Any]) -> BoxDetector:
    """The detector that `detector.model` of a DeepLabCut config describes, of type SSDLite."""
    detection = require("torchvision.models.detection")
    return BoxDetector(
        detection.ssdlite320_mobilenet_v3_large(
            weights=None, weights_backbone=None, num_classes=CLASSES, box_score_thresh=_threshold(config)
        )
    )


def build_fasterrcnn(config: Mapping[str, Any]) -> BoxDetector:
    """The detector that `detector.model` of a DeepLabCut config describes, of type FasterRCNN.

    Raises
    ------
    ModelError
        Its variant is none of `VARIANTS`.
    """
    variant = str(config.get("variant") or VARIANTS[0])
    if variant not in VARIANTS:
        raise ModelError(f"detector variant is {variant!r}; supported: {', '.join(VARIANTS)}")
    build = getattr(require("torchvision.models.detection"), variant)
    model = build(
        weights=None, weights_backbone=None, num_classes=CLASSES, box_score_thresh=_threshold(config)
    )
    if variant != "fasterrcnn_resnet50_fpn_v2":
        _freeze_norms(model.backbone)
    return BoxDetector(model)


def _freeze_norms(part: nn.Module) -> None:
    """Replace the norms by those that torchvision gives a detector with a pre-trained backbone.

    DeepLabCut builds its detectors that way: such norms have other names in the weights, and another epsilon.
    """
    frozen = require("torchvision.ops.misc").FrozenBatchNorm2d
    for name, child in part.named_children():
        if isinstance(child, nn.BatchNorm2d):
            setattr(part, name, frozen(child.num_features))
        else:
            _freeze_norms(child)


def _threshold(config: Mapping[str, Any]) -> float:
    return float(config.get("box_score_thresh") or 0.01)
