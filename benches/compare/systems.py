"""Who takes part: its environment with pinned versions, its side of the pipe, its options. Plain data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

__all__ = ["ENVIRONMENTS", "SYSTEMS", "Environment", "System"]

TORCH = ("torch==2.13.0", "torchvision==0.28.0")


@dataclass(frozen=True)
class Environment:
    """What is installed for a tool, in the order of the steps; empty: the environment that runs the bench.

    Attributes
    ----------
    steps : tuple of tuple of str
        Arguments of ``pip install``, a call for each.
    versions : tuple of str
        Distributions whose versions belong to the numbers.
    """

    steps: tuple[tuple[str, ...], ...] = ()
    versions: tuple[str, ...] = ()


LIGHTNING_NEEDS = (
    *TORCH,
    *("lightning>=2.5,<2.6", "pytorch-lightning>=2.5,<2.6", "transformers>=4.57.5", "aniposelib", "h5py"),
    *("hydra-core", "imaug", "jaxtyping", "kornia", "matplotlib", "moviepy>=2", "opencv-python-headless"),
    *("pandas>=2.2.2", "pillow", "safetensors", "scikit-learn>=1.5", "tensorboard<3"),
    *("onnx", "onnxruntime", "onnxscript"),
)
RUNTIME = ("numpy==2.4.6", "opencv-python-headless==5.0.0.93")
ENVIRONMENTS = {
    "fastpose": Environment(versions=("fastpose-rig", "openvino", "numpy")),
    "deeplabcut-live": Environment(
        (TORCH, ("deeplabcut-live[pytorch]==1.1.0", *TORCH)), ("deeplabcut-live", "torch", "numpy")
    ),
    "deeplabcut": Environment((TORCH, ("deeplabcut==3.0.2", *TORCH)), ("deeplabcut", "torch", "numpy")),
    "onnxruntime": Environment((("onnxruntime==1.31.1", *RUNTIME),), ("onnxruntime", "numpy")),
    "openvino": Environment((("openvino==2026.4.1", *RUNTIME),), ("openvino", "numpy")),
    "sleap-nn": Environment(
        (TORCH, ("sleap-nn[export]==0.3.5", *TORCH)), ("sleap-nn", "torch", "onnxruntime", "numpy")
    ),
    "lightning-pose": Environment(
        (TORCH, ("--no-deps", "lightning-pose==2.4.3"), LIGHTNING_NEEDS),  # DALI is for videos on GPUs
        ("lightning-pose", "torch", "numpy"),
    ),
}


@dataclass(frozen=True)
class System:
    """A tool in one way of running it.

    Attributes
    ----------
    title : str
        As it stands in tables and plots.
    environment : str
        Key of `ENVIRONMENTS`.
    side : str
        Stem of the file in ``benches/compare/sides``.
    options : dict
        For that file.
    """

    name: str
    title: str
    environment: str
    side: str
    options: dict[str, Any] = field(default_factory=dict)


def _ours(precision: str) -> System:
    return System(
        f"fastpose {precision}", f"fastpose {precision}", "fastpose", "ours", {"precision": precision}
    )


MARGIN_PX = 20
MIN_LIKELIHOOD = 0.2
"""Of both tools, where a window follows the animal."""
_DYNAMIC = {"dynamic": [True, MIN_LIKELIHOOD, MARGIN_PX]}
SYSTEMS = {
    each.name: each
    for each in (
        System("deeplabcut-live", "DeepLabCut-live", "deeplabcut-live", "dlc_live"),
        System(
            "deeplabcut-live dynamic", "DeepLabCut-live, dynamic", "deeplabcut-live", "dlc_live", _DYNAMIC
        ),
        System("deeplabcut", "DeepLabCut", "deeplabcut", "dlc"),
        System("onnxruntime", "ONNX Runtime", "onnxruntime", "ort"),
        System("openvino", "OpenVINO", "openvino", "ov"),
        System("sleap-nn", "sleap-nn", "sleap-nn", "sleap_side", {"runtime": "torch"}),
        System("sleap-nn onnx", "sleap-nn, its ONNX export", "sleap-nn", "sleap_side", {"runtime": "onnx"}),
        System("lightning-pose", "Lightning Pose", "lightning-pose", "lightning_side"),
        *map(_ours, ("fp32", "bf16", "int8", "auto")),
    )
}
