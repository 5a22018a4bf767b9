"""Preprocess beside OpenCV and NumPy: as most people write it ("plain"), and with care ("careful")."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from benches.micro.timing import Contestant, Isa
from numpy.typing import NDArray

from fastpose import _core
from fastpose.config import PixelFormat

Frame = NDArray[np.uint8]
Tensor = NDArray[np.float32]

MEAN = np.array([0.485, 0.456, 0.406], np.float32)
STD = np.array([0.229, 0.224, 0.225], np.float32)
SCALE, OFFSET = 1 / (255 * STD), -MEAN / STD  # tensor = pixel * SCALE + OFFSET
TO_RGB = {
    "bgr8": cv2.COLOR_BGR2RGB,
    "bayer_rg8": cv2.COLOR_BayerBG2RGB,
    "yuyv": cv2.COLOR_YUV2RGB_YUY2,
    "nv12": cv2.COLOR_YUV2RGB_NV12,
}


@dataclass(frozen=True)
class Case:
    """One job: the whole frame of `size` (width, height) to a tensor of `output`."""

    pixel_format: PixelFormat
    size: tuple[int, int]
    output: tuple[int, int]
    element: Literal["f32", "u8"] = "f32"  # u8: grey levels, channels last

    @property
    def colour(self) -> Literal["grey", "rgb"]:
        return "grey" if self.pixel_format == "mono8" else "rgb"

    @property
    def name(self) -> str:
        (w, h), (ow, oh) = self.size, self.output
        end = " u8 nhwc" if self.element == "u8" else ""
        return f"preprocess {self.pixel_format} {w}x{h} -> {ow}x{oh} {self.colour}{end}"


CASES = (
    Case("bgr8", (1280, 1024), (320, 256)),
    Case("mono8", (1280, 1024), (320, 256)),
    Case("mono8", (1280, 1024), (256, 256)),
    Case("bgr8", (658, 302), (658, 302)),
    Case("bgr8", (640, 480), (256, 256)),
    Case("bayer_rg8", (1280, 1024), (320, 256)),
    Case("yuyv", (640, 480), (320, 240)),
    Case("nv12", (1280, 720), (320, 180)),
    Case("bgr8", (1280, 1024), (320, 256), "u8"),
    Case("bgr8", (640, 480), (256, 256), "u8"),
)


def make_frame(case: Case) -> Frame:
    width, height = case.size
    shape = {"bgr8": (height, width, 3), "yuyv": (height, width, 2), "nv12": (height * 3 // 2, width)}
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, shape.get(case.pixel_format, (height, width)), dtype=np.uint8)


def plain(frame: Frame, case: Case) -> Tensor | Frame:
    """The chain that one finds in scripts: a new array at every step."""
    converted_first = case.pixel_format in ("bayer_rg8", "yuyv", "nv12")
    if converted_first:
        frame = cv2.cvtColor(frame, TO_RGB[case.pixel_format])
    crop = frame[0 : case.size[1], 0 : case.size[0]]
    resized = cv2.resize(crop, case.output, interpolation=cv2.INTER_LINEAR)
    if case.colour == "grey":
        grey = resized.astype(np.float32) / 255
        grey = (grey - MEAN[0]) / STD[0]
        return np.ascontiguousarray(grey[None, None])
    rgb = resized if converted_first else cv2.cvtColor(resized, TO_RGB[case.pixel_format])
    if case.element == "u8":
        return np.asarray(rgb, np.uint8)[None]
    rgb = rgb.astype(np.float32) / 255
    rgb = (rgb - MEAN) / STD
    return np.ascontiguousarray(rgb.transpose(2, 0, 1)[None])


class Careful:
    """Every array allocated once; normalised per plane, by one multiplication and one addition."""

    def __init__(self, case: Case) -> None:
        width, height = case.output
        self.case = case
        self.tensor = np.empty((1, 1 if case.colour == "grey" else 3, height, width), np.float32)
        self.small = np.empty((height, width) if case.colour == "grey" else (height, width, 3), np.uint8)
        self.planes = [np.empty((height, width), np.uint8) for _ in range(self.tensor.shape[1])]
        self.converted: Frame | None = None
        self.pixels = np.empty((height, width, 3), np.uint8)
        self.order = (2, 1, 0) if case.pixel_format == "bgr8" else (0, 1, 2)

    def __call__(self, frame: Frame) -> Tensor | Frame:
        if self.case.pixel_format in ("bayer_rg8", "yuyv", "nv12"):
            self.converted = frame = cv2.cvtColor(frame, TO_RGB[self.case.pixel_format], dst=self.converted)
        if self.case.size != self.case.output:
            frame = cv2.resize(frame, self.case.output, dst=self.small, interpolation=cv2.INTER_LINEAR)
        if self.case.element == "u8":
            cv2.cvtColor(frame, TO_RGB[self.case.pixel_format], dst=self.pixels)
            return self.pixels[None]
        planes: Sequence[Frame] = [frame]
        if self.case.colour == "rgb":
            planes = cv2.split(frame, self.planes)
        for c in range(self.tensor.shape[1]):
            out = self.tensor[0, c]
            np.multiply(planes[self.order[c]], SCALE[c], out=out)
            np.add(out, OFFSET[c], out=out)
        return self.tensor


def ours(case: Case, isa: Isa) -> _core.Preprocessor:
    bytes_ = case.element == "u8"
    return _core.Preprocessor(
        case.pixel_format,
        case.size,
        case.output,
        colour=case.colour,
        scale=(1, 1, 1) if bytes_ else SCALE.tolist(),
        offset=(0, 0, 0) if bytes_ else OFFSET.tolist(),
        element=case.element,
        layout="nhwc" if bytes_ else "nchw",
        isa=isa,
    )


def contestants(case: Case, isas: list[Isa]) -> list[Contestant]:
    """Plain, careful, and fastpose with each of `isas`; all give the same tensor."""
    frame, careful = make_frame(case), Careful(case)
    result = [
        Contestant("plain", lambda: plain(frame, case)),
        Contestant("careful", lambda: careful(frame)),
    ]
    for isa in isas:
        result.append(_fastpose(case, isa, frame))
    _require_same([np.asarray(c.call()).copy() for c in result], case)
    return result


def _fastpose(case: Case, isa: Isa, frame: Frame) -> Contestant:
    preprocessor = ours(case, isa)
    out = np.empty(preprocessor.output_shape, np.uint8 if case.element == "u8" else np.float32)
    inside: Callable[[], int] = lambda: int(preprocessor.time_ns(frame, 1)[0])  # noqa: E731
    return Contestant(f"fastpose {isa}", lambda: preprocessor.run(frame, out), inside)


def _require_same(tensors: list[Tensor | Frame], case: Case) -> None:
    # OpenCV rounds to whole grey levels: once, for Bayer and YUV twice. Its demosaic repeats a border.
    levels = 1.1 if case.pixel_format in ("bgr8", "mono8") else 2.7
    bytes_ = case.element == "u8"
    inside = np.s_[:, 2:-2, 2:-2] if bytes_ else np.s_[..., 2:-2, 2:-2]
    for tensor in tensors[1:]:
        difference = np.abs(tensor - tensors[0].astype(np.float32))[inside]
        if case.pixel_format in ("yuyv", "nv12"):  # noise below black, where OpenCV clamps luma first
            difference = np.percentile(difference, 50)
        worst = np.max(difference) / (1 if bytes_ else SCALE.max())
        if worst > levels:
            raise AssertionError(f"{case.name}: the contestants differ by {worst} grey levels")
