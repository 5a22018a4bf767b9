"""Crops of top-down networks equal their oracle, and torchvision's where torch is installed."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pytest

from fastpose import _core
from oracle import crop as oracle
from oracle.crop import Rectangle

FRAME = (160, 120)
LEVELS: dict[str, Any] = {"scale": (1.0, 1.0, 1.0), "offset": (0.0, 0.0, 0.0)}
BOXES = {
    "larger": (20.2, 30.7, 118.4, 101.1),
    "smaller": (70.0, 50.0, 80.5, 75.0),
    "beyond the left": (0.0, 10.0, 12.0, 110.0),
    "beyond the right": (120.0, 60.0, 160.0, 120.0),
    "everything": (0.0, 0.0, 160.0, 120.0),
    "thin": (40.0, 20.0, 41.0, 90.0),
}
Frame = npt.NDArray[np.uint8 | np.uint16]


def scene(pixel_format: str, seed: int = 0) -> Frame:
    """Smooth with noise, so that a wrong weight shows."""
    rng = np.random.default_rng(seed)
    shape = (FRAME[1], FRAME[0], 3) if pixel_format in ("rgb8", "bgr8") else (FRAME[1], FRAME[0])
    if pixel_format == "mono12":
        return rng.integers(0, 4096, shape, dtype=np.uint16)
    return rng.integers(0, 256, shape, dtype=np.uint8)


def stage(
    pixel_format: str,
    size: tuple[int, int],
    roi: Rectangle,
    colour: str = "rgb",
    mode: str = "scaled",
    antialias: bool = True,
    margin_px: float = 0.0,
    element: Literal["f32", "u8"] = "f32",
    layout: Literal["nchw", "nhwc"] = "nchw",
) -> _core.CropStage:
    return _core.crop_stage(
        pixel_format=pixel_format,  # type: ignore[arg-type]
        frame_size=FRAME,
        crop_size=size,
        roi=roi,
        colour=colour,  # type: ignore[arg-type]
        mode=mode,  # type: ignore[arg-type]
        antialias=antialias,
        margin_px=margin_px,
        element=element,
        layout=layout,
        **LEVELS,
    )


def near(actual: npt.NDArray[Any], expected: npt.NDArray[Any]) -> None:
    """Equal but for the few values that lie half way between two grey levels."""
    difference = np.abs(actual - expected)
    assert difference.max() <= 1.0001
    assert (difference > 0.01).mean() < 2e-3


@pytest.mark.parametrize("box", BOXES.values(), ids=BOXES.keys())
@pytest.mark.parametrize("size", [(64, 64), (48, 80)])
@pytest.mark.parametrize(
    ("pixel_format", "colour"),
    [
        ("rgb8", "rgb"),
        ("bgr8", "rgb"),
        ("mono8", "rgb"),
        ("mono8", "grey"),
        ("bayer_rg8", "rgb"),
        ("mono12", "grey"),
    ],
)
def test_equals_its_oracle(
    box: tuple[float, float, float, float], size: tuple[int, int], pixel_format: str, colour: str
) -> None:
    frame, full = scene(pixel_format), (0, 0, *FRAME)
    actual, affine = stage(pixel_format, size, full, colour).run(frame, box)
    rectangle = oracle.grow(box, size, 0)
    near(actual, oracle.crop(frame, pixel_format, rectangle, size, roi=full, colour=colour))
    np.testing.assert_allclose(affine, oracle.way_back(rectangle, full, size), rtol=1e-6)


@pytest.mark.parametrize("antialias", [True, False])
def test_roi_margin_and_antialias(antialias: bool) -> None:
    frame, roi, size = scene("rgb8"), (21, 13, 101, 97), (32, 40)
    box = (30.0, 20.0, 90.0, 100.0)
    actual, affine = stage("rgb8", size, roi, antialias=antialias, margin_px=7.5).run(frame, box)
    rectangle = oracle.grow((9.0, 7.0, 69.0, 87.0), size, 7.5)
    near(actual, oracle.crop(frame, "rgb8", rectangle, size, roi=roi, antialias=antialias))
    np.testing.assert_allclose(affine, oracle.way_back(rectangle, roi, size), rtol=1e-6)


def test_boxes_end_at_the_roi() -> None:
    frame, full = scene("mono8"), (0, 0, *FRAME)
    clipped, _ = stage("mono8", (32, 32), full).run(frame, (100.0, 20.0, 160.0, 120.0))
    beyond, _ = stage("mono8", (32, 32), full).run(frame, (100.0, 20.0, 300.0, 400.0))
    np.testing.assert_array_equal(clipped, beyond)


def test_centred_takes_the_frames_own_pixels() -> None:
    frame, full = scene("mono8"), (0, 0, *FRAME)
    actual, affine = stage("mono8", (32, 24), full, "grey", "centred").run(frame, (50.0, 40.0, 50.0, 40.0))
    np.testing.assert_array_equal(actual[0], frame[28:52, 34:66])
    assert affine == (1, 1, 34.5, 28.5)  # not rounded, as sleap-nn has it
    edge, _ = stage("mono8", (32, 24), full, "grey", "centred").run(frame, (0.0, 0.0, 0.0, 0.0))
    np.testing.assert_array_equal(edge[0, 12:, 16:], frame[:12, :16])
    assert not edge[0, :12].any()


@pytest.mark.parametrize("box", BOXES.values(), ids=BOXES.keys())
def test_equals_torchvision(box: tuple[float, float, float, float]) -> None:
    torch = pytest.importorskip("torch")
    frame, size = scene("rgb8", 1), (64, 48)
    x, y, width, height = oracle.grow(box, size, 0)
    image = torch.from_numpy(oracle.cut(frame, (x, y, width, height))).permute(2, 0, 1)[None].float()
    shape = {"size": (size[1], size[0]), "mode": "bilinear", "align_corners": False, "antialias": True}
    expected = torch.nn.functional.interpolate(image, **shape)[0].numpy().round()  # as torchvision has it
    actual, _ = stage("rgb8", size, (0, 0, *FRAME)).run(frame, box)
    np.testing.assert_array_equal(actual, expected.astype(np.float32))


@pytest.mark.parametrize("layout", ["nchw", "nhwc"])
@pytest.mark.parametrize("pixel_format", ["rgb8", "bayer_rg8"])
def test_bytes_are_the_same_grey_levels(pixel_format: str, layout: Literal["nchw", "nhwc"]) -> None:
    frame, full, box = scene(pixel_format), (0, 0, *FRAME), (20.0, 10.0, 90.0, 70.0)
    floats, _ = stage(pixel_format, (48, 40), full).run(frame, box)
    actual, _ = stage(pixel_format, (48, 40), full, element="u8", layout=layout).run(frame, box)
    assert actual.dtype == np.uint8
    np.testing.assert_array_equal(actual, floats if layout == "nchw" else floats.transpose(1, 2, 0))
