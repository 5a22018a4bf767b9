"""What is compared: networks, sizes of frames, and who takes part. Plain data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

__all__ = ["CASES", "NETWORKS", "Case", "Network", "chosen"]

Size = tuple[int, int]  # width, height; px


@dataclass(frozen=True)
class Network:
    """A network and where its weights come from.

    Attributes
    ----------
    kind : str
        "deeplabcut": an export of DeepLabCut 3 made here; "sleap-nn", "lightning-pose": trained and exported
        by that tool.
    backbone : dict
        ``model.backbone`` of DeepLabCut's config.
    channels : int
        Of its features.
    multiple : int
        Sides of the input are mirrored to multiples of this, px.
    """

    name: str
    title: str
    kind: str = "deeplabcut"
    backbone: dict[str, Any] = field(default_factory=dict)
    channels: int = 0
    multiple: int = 1


def _resnet(name: str, title: str, model: str) -> Network:
    frozen = {"freeze_bn_stats": False, "freeze_bn_weights": False}
    return Network(
        name,
        title,
        backbone={"type": "ResNet", "model_name": model, "output_stride": 16, **frozen},
        channels=2048,
    )


HRNET = {
    "type": "HRNet",
    "model_name": "hrnet_w32",
    "interpolate_branches": False,
    "increased_channel_count": False,
    "freeze_bn_stats": True,
    "freeze_bn_weights": False,
}
NETWORKS = {
    each.name: each
    for each in (
        _resnet("resnet50_gn", "ResNet-50 GroupNorm", "resnet50_gn"),
        _resnet("resnet50_bn", "ResNet-50 BatchNorm", "resnet50"),
        Network("hrnet_w32", "HRNet-w32", backbone=HRNET, channels=32, multiple=32),
        Network("unet", "U-Net-like", backbone={"type": "BenchUNet"}, channels=36, multiple=16),
        Network("mobilenet", "MobileNetV2-like", backbone={"type": "BenchMobileNetV2"}, channels=160),
        Network("openfield", "openfield net", backbone={"type": "BenchOpenField"}, channels=80),
        Network("sleap_unet", "sleap-nn U-Net", kind="sleap-nn"),
        Network("lightning_resnet50", "Lightning Pose ResNet-50", kind="lightning-pose"),
    )
}

EVERYONE = ("deeplabcut-live", "deeplabcut", "onnxruntime", "openvino")
OURS = ("fastpose fp32", "fastpose bf16", "fastpose int8", "fastpose auto")


@dataclass(frozen=True)
class Case:
    """A network on frames of one size.

    Attributes
    ----------
    size : tuple of int
        Width and height of the frames, px.
    systems : tuple of str
        Names in `benches.compare.systems`; the first is what the others are compared to.
    scene : str
        "window": the frames are cut out around the animal at the recording's own scale; "arena": the
        recording lies in a larger frame, its edges continued, frame after frame.
    grey : bool
        Frames are (h, w) instead of (h, w, 3) bgr.
    reference : str
        The system whose poses are fp32 of these weights.
    roi : tuple of int or None
        Width and height of the window that follows the animal in fastpose, px.
    """

    network: str
    size: Size
    systems: tuple[str, ...] = (*EVERYONE, *OURS)
    scene: str = "window"
    grey: bool = False
    roi: Size | None = None

    @property
    def name(self) -> str:
        """``NETWORK_WIDTHxHEIGHT``, with ``_tracked`` where a window follows the animal."""
        return f"{self.network}_{self.size[0]}x{self.size[1]}{'_tracked' if self.roi else ''}"

    @property
    def title(self) -> str:
        """In words."""
        tracked = f", roi {self.roi[0]}x{self.roi[1]} tracked" if self.roi else ""
        return f"{NETWORKS[self.network].title}, {self.size[0]}x{self.size[1]}{tracked}"

    @property
    def reference(self) -> str:
        """Whose poses are fp32 of these weights, whole frame."""
        return self.systems[0]


SMALL, WIDE = (256, 256), (658, 302)
_DLC = ("resnet50_gn", "resnet50_bn", "hrnet_w32", "unet", "mobilenet")
_TRACKED = ("deeplabcut-live", "deeplabcut-live dynamic", "openvino", *OURS)
CASES = {
    each.name: each
    for each in (
        *(Case(network, size) for network in _DLC for size in (SMALL, WIDE)),
        *(Case("openfield", size, grey=True) for size in ((640, 480), (192, 192), (128, 128))),
        Case("resnet50_gn", (1280, 1024), _TRACKED, scene="arena", roi=(256, 256)),
        Case("sleap_unet", SMALL, ("sleap-nn", "sleap-nn onnx", "onnxruntime", "openvino", *OURS), grey=True),
        Case("lightning_resnet50", SMALL, ("lightning-pose", "onnxruntime", "openvino", *OURS)),
    )
}


def chosen(only: str) -> list[Case]:
    """Cases whose name holds one of the words, separated by commas; all for an empty text.

    Raises
    ------
    ValueError
        A word fits no case.
    """
    words = [word for word in only.split(",") if word]
    strangers = [word for word in words if not any(word in name for name in CASES)]
    if strangers:
        raise ValueError(f"--only {strangers[0]!r} fits no case; there are: {', '.join(CASES)}")
    return [case for name, case in CASES.items() if not words or any(word in name for word in words)]
