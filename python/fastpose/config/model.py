"""The network: which package, on which frames, on which device."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Discriminator, Field, Tag, WithJsonSchema, model_validator
from typing_extensions import Self

from fastpose.config.identity import Identity, MotionIdentity
from fastpose.config.types import (
    BUILTIN,
    NUMBER,
    ConfigPath,
    Fraction,
    NonNegativeInt,
    Rectangle,
    Section,
    Size,
    Text,
    no_repeats,
)

_SHIPPED = Path(__file__).resolve().parents[1] / "models"


def package_folder(path: str | os.PathLike[str]) -> Path:
    """Where a package lies on disk: the path itself, or that of builtin:NAME."""
    text = os.fspath(path)
    return _SHIPPED / text.removeprefix(BUILTIN) if text.startswith(BUILTIN) else Path(path)


def _is_device(name: str) -> str:
    if not re.fullmatch(_DEVICE, name):
        raise ValueError(f"{name!r} is no device; allowed: cpu, cuda, cuda:0 (the GPU's number), fake")
    return name


_DEVICE = r"cpu|fake|cuda(:\d{1,3})?"
DeviceName = Annotated[
    str, AfterValidator(_is_device), WithJsonSchema({"type": "string", "pattern": f"^({_DEVICE})$"})
]


class TrackedRoi(Section):
    """A roi of fixed size that follows the animal; when it is lost the next frame is searched as a whole."""

    track: Literal[True]
    size: Size
    """Width and height, px."""
    margin_px: NonNegativeInt = 20
    """What must lie on each side of the keypoints; else the next frame is searched as a whole."""
    min_likelihood: Fraction = 0.5
    """Keypoints below are not followed."""
    step_px: Annotated[int, Field(ge=1, le=256), NUMBER] = 16
    """The roi moves in steps of this, px. In steps of the network's deepest stride (16 or 32) it sees the
    animal as it does in the full frame, and its poses are the same."""
    within: Rectangle | None = None
    """Part of the frame that is searched, px; null: the full frame."""


def _kind_of_roi(value: Any) -> str:
    if isinstance(value, dict):
        return "TrackedRoi" if "track" in value or "size" in value else "Rectangle"
    return "TrackedRoi" if isinstance(value, TrackedRoi) else "Rectangle"


Roi = Annotated[
    Annotated[Rectangle, Tag("Rectangle")] | Annotated[TrackedRoi, Tag("TrackedRoi")],
    Discriminator(_kind_of_roi),
]


class Model(Section):
    """A model package and how it runs."""

    path: ConfigPath
    """Folder of the package, relative to the config file; or builtin:NAME for one that fastpose ships."""
    camera: str = ""
    """Camera whose frames it sees; default: the only camera."""
    cameras: Annotated[tuple[Text, ...], AfterValidator(no_repeats)] = ()
    """Cameras whose frames it sees, where it is one network for several; in place of camera."""
    device: DeviceName = "cpu"
    """cpu: OpenVINO; cuda:0: the first NVIDIA GPU; fake: stored outputs, for tests and benchmarks of
    everything but the network."""
    detector_device: Literal["cpu"] | None = None
    """cpu: the package's detector runs there beside a network on a GPU, for detectors that give a number of
    boxes that follows the frame (DeepLabCut's); null: on `device`."""
    runtime: Literal["auto", "tensorrt", "tensorrt-rtx", "torch"] = "auto"
    """Of device cuda; auto: the first of these that is installed and runs there."""
    precision: Literal["auto", "fp32", "fp16", "bf16", "int8"] = "auto"
    """int8, and all but fp32 on a GPU, need a package that ``fastpose optimize`` worked on; auto: the fastest
    within its budget."""
    threads: Annotated[int, Field(ge=1, le=256), NUMBER] | None = None
    """Threads of the network; null: as ``fastpose tune`` found on this machine, else the runtime's choice."""
    roi: Roi | None = None
    """What the network sees: a fixed rectangle, or one that follows the animal; null: the full frame."""
    input_size: Size | None = None
    """Width and height of the network's input, px; null: that of the roi, rounded up to the stride."""
    identity: Identity = MotionIdentity()
    """How each animal keeps its place in the pose; for networks that find several."""

    accept_parity: bool = False
    """Arm a package whose poses are over its pixel budget: against the tool it came from (parity.json), or
    those of its int8 form against fp32 (optimized.json)."""

    @model_validator(mode="after")
    def _device_has_it(self) -> Self:
        on_gpu = self.device.startswith("cuda")
        if self.precision == "fp16" and not on_gpu:
            raise ValueError(f"precision is fp16; allowed on {self.device}: auto, fp32, bf16, int8")
        if self.runtime != "auto" and not on_gpu:
            raise ValueError(
                f"runtime is {self.runtime}, which belongs to device cuda; device is {self.device}"
            )
        if self.detector_device is not None and not on_gpu:
            raise ValueError(
                f"detector_device is {self.detector_device}, which belongs to device cuda; "
                f"device is {self.device}"
            )
        if self.threads is not None and on_gpu:
            raise ValueError(f"threads is {self.threads}; device {self.device} has none to choose")
        return self

    @property
    def seen(self) -> tuple[str, ...]:
        """Cameras whose frames it sees."""
        return self.cameras or ((self.camera,) if self.camera else ())

    @property
    def folder(self) -> Path:
        """Where the package lies on disk."""
        return package_folder(self.path)
