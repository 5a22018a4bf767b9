"""Crops of animals at places in device memory: those of the oracle, for each format, mode and place.

Each test runs twice: with the kernels' twins on the CPU (emulated), and on a GPU where there is one.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from fastpose import _core
from gpu import cuda_module, require_gpu
from test_cuda_parity import OFFSET, SCALE, SIZE, frame_of

CROP, ROI = (24, 16), (6, 4, 80, 52)
BOXES = ((20.0, 12.0, 48.0, 40.0), (2.0, 1.0, 30.0, 20.0), (70.0, 40.0, 95.0, 63.0), (-9.0, -9.0, 99.0, 80.0))


@pytest.fixture(params=["emulated", "gpu"])
def emulated(request: pytest.FixtureRequest) -> bool:
    cuda_module()
    if request.param == "gpu":
        require_gpu()
    return bool(request.param == "emulated")


@pytest.fixture
def cuda() -> ModuleType:
    return cuda_module()


def heatmap(cuda: ModuleType, size: tuple[int, int]) -> Any:
    return cuda.heatmap_decode(bodyparts=1, map_size=size, stride=8, locref_stdev=0, activation="none")


def crops_of(cuda: ModuleType, emulated: bool, pixel_format: str, options: dict[str, Any]) -> tuple[Any, Any]:
    """What uploads the frames, and the crops; neither network computes anything."""
    source: dict[str, Any] = {
        "pixel_format": pixel_format,
        "frame_size": SIZE,
        "roi": ROI,
        "colour": options["colour"],
    }
    factors: dict[str, Any] = {"scale": SCALE, "offset": OFFSET}
    channels = 3 if options["colour"] == "rgb" else 1
    frames = cuda.CudaNetwork(
        preprocess=[cuda.Preprocess(**source, **factors, output_size=(16, 8))],
        input=cuda.Tensor("input", (1, channels, 8, 16)),
        outputs=[cuda.Tensor("map", (1, 1, 1, 2))],
        decode=heatmap(cuda, (2, 1)),
        bodyparts=1,
        emulated=emulated,
    )
    frames.call_each_frame(lambda: True)
    frames.finish()
    crops = cuda.CudaCrops(
        frames=frames,
        crop=cuda.Crop(
            **source, **factors, crop_size=CROP, **{k: v for k, v in options.items() if k != "colour"}
        ),
        input=cuda.Tensor("crops", (len(BOXES), channels, CROP[1], CROP[0])),
        outputs=[cuda.Tensor("map", (len(BOXES), 1, 2, 3))],
        decode=heatmap(cuda, (3, 2)),
        bodyparts=1,
        emulated=emulated,
    )
    crops.call_each_frame(lambda: True)
    crops.finish()
    return frames, crops


@pytest.mark.parametrize("colour", ["grey", "rgb"])
@pytest.mark.parametrize(("mode", "antialias"), [("centred", True), ("scaled", True), ("scaled", False)])
@pytest.mark.parametrize("pixel_format", ["mono8", "mono12", "bgr8", "bayer_gb8", "yuyv", "nv12"])
def test_crops_are_those_of_the_cpu(
    cuda: ModuleType, emulated: bool, pixel_format: str, mode: str, antialias: bool, colour: str
) -> None:
    options = {"mode": mode, "antialias": antialias, "margin_px": 0.0, "colour": colour}
    frames, crops = crops_of(cuda, emulated, pixel_format, options)
    frame: NDArray[Any] = frame_of(pixel_format)
    frames.estimate([frame])
    poses = crops.estimate(BOXES)
    stage = _core.crop_stage(
        pixel_format=pixel_format,  # type: ignore[arg-type]
        frame_size=SIZE,
        crop_size=CROP,
        roi=ROI,
        scale=SCALE,
        offset=OFFSET,
        **options,  # type: ignore[arg-type]
    )
    tensor = np.frombuffer(crops.input().tobytes(), np.float32).reshape(len(BOXES), -1, *CROP[::-1])
    for found, pose, box in zip(tensor, poses, BOXES, strict=True):
        wanted, (scale_x, scale_y, offset_x, offset_y) = stage.run(frame, box)
        np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-5)
        # All of its map is 0: the peak is the first cell, whose centre is at 4 px.
        np.testing.assert_allclose(pose[0, :2], (4 * scale_x + offset_x, 4 * scale_y + offset_y), atol=1e-3)


def test_fewer_animals_than_rows_are_missing(cuda: ModuleType, emulated: bool) -> None:
    options = {"mode": "centred", "antialias": True, "margin_px": 0.0, "colour": "grey"}
    frames, crops = crops_of(cuda, emulated, "mono8", options)
    frames.estimate([frame_of("mono8")])
    poses = crops.estimate(BOXES[:2])
    assert np.isfinite(poses[:2]).all() and np.isnan(poses[2:, :, :2]).all()
    assert "crops of 4 animals" in crops.description
