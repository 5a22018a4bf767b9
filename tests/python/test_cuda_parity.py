"""The graph on a GPU computes what the NumPy oracle computes: preprocess, decode, and both around a network.

Each test runs twice: with the kernels' twins on the CPU (emulated), and on a GPU where there is one.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from gpu import cuda_module, require_gpu
from oracle import decode as decode_oracle
from oracle import preprocess as preprocess_oracle
from oracle import soft_heatmap

FORMATS = (
    *("mono8", "rgb8", "bgr8", "bayer_rg8", "bayer_gr8", "bayer_gb8", "bayer_bg8"),
    *("yuyv", "nv12", "mono10", "mono12"),
)
SIZE = (96, 64)
SCALE, OFFSET = (1 / 58.4, 1 / 57.1, 1 / 57.4), (-2.12, -2.04, -1.8)
# Bayer and YUV counts are whole numbers, so 1e-5 of a tensor unit holds for all but the fixed-point BT.601,
# which is off by up to 0.012 grey levels (see csrc/preprocess/yuv.h).
TOLERANCE = {"yuyv": 0.02 * SCALE[1], "nv12": 0.02 * SCALE[1]}
DTYPES = {"f32": np.float32, "f16": np.float16, "u8": np.uint8}


@pytest.fixture(params=["emulated", "gpu"])
def emulated(request: pytest.FixtureRequest) -> bool:
    cuda_module()
    if request.param == "gpu":
        require_gpu()
    return bool(request.param == "emulated")


@pytest.fixture
def cuda() -> ModuleType:
    return cuda_module()


def frame_of(pixel_format: str, seed: int = 5) -> NDArray[Any]:
    random, (width, height) = np.random.default_rng(seed), SIZE
    if pixel_format in preprocess_oracle.WHITE:
        white = preprocess_oracle.WHITE[pixel_format]
        return random.integers(0, white + 1, (height, width)).astype(np.uint16)
    shape: dict[str, tuple[int, ...]] = {
        "rgb8": (height, width, 3),
        "bgr8": (height, width, 3),
        "yuyv": (height, width, 2),
        "nv12": (height * 3 // 2, width),
    }
    return random.integers(0, 256, shape.get(pixel_format, (height, width))).astype(np.uint8)


def network_of(
    cuda: ModuleType,
    emulated: bool,
    *,
    pixel_format: str = "mono8",
    rois: tuple[tuple[int, int, int, int], ...] = ((0, 0, *SIZE),),
    size: tuple[int, int] = (32, 24),
    colour: str = "rgb",
    dtype: str = "f32",
    layout: str = "nchw",
    outputs: tuple[tuple[int, ...], ...] = ((1, 1, 2, 2),),
    output_dtype: str = "f32",
    decode: Any = None,
    individuals: int = 1,
    bodyparts: int = 1,
    scale: tuple[float, ...] = SCALE,
    offset: tuple[float, ...] = OFFSET,
) -> Any:
    """Return a network that leaves its outputs as they are: tests write them."""
    if decode is None:
        decode = cuda.heatmap_decode(
            bodyparts=1, map_size=(2, 2), stride=8, locref_stdev=0, activation="none"
        )
    network = cuda.CudaNetwork(
        preprocess=[
            cuda.Preprocess(
                pixel_format=pixel_format,
                frame_size=SIZE,
                output_size=size,
                roi=roi,
                colour=colour,
                scale=scale,
                offset=offset,
            )
            for roi in rois
        ],
        input=cuda.Tensor("input", (len(rois), 3 if colour == "rgb" else 1, size[1], size[0]), dtype, layout),
        outputs=[cuda.Tensor(f"output{i}", shape, output_dtype) for i, shape in enumerate(outputs)],
        decode=decode,
        individuals=individuals,
        bodyparts=bodyparts,
        emulated=emulated,
    )
    network.call_each_frame(lambda: True)
    network.finish()
    return network


def tensor_in(network: Any, shape: tuple[int, ...], dtype: str) -> NDArray[np.float64]:
    return np.frombuffer(network.input().tobytes(), DTYPES[dtype]).reshape(shape).astype(np.float64)


@pytest.mark.parametrize("colour", ["grey", "rgb"])
@pytest.mark.parametrize("pixel_format", FORMATS)
def test_preprocess(cuda: ModuleType, emulated: bool, pixel_format: str, colour: str) -> None:
    frame = frame_of(pixel_format)
    for roi in ((0, 0, *SIZE), (7, 5, 61, 43)):
        for size in ((32, 24), (61, 43), (100, 80)):
            network = network_of(
                cuda, emulated, pixel_format=pixel_format, rois=(roi,), size=size, colour=colour
            )
            network.estimate([frame])
            wanted = preprocess_oracle.preprocess(frame, pixel_format, size, roi, colour, SCALE, OFFSET)
            found = tensor_in(network, wanted.shape, "f32")
            np.testing.assert_allclose(found, wanted, rtol=0, atol=TOLERANCE.get(pixel_format, 1e-5))


@pytest.mark.parametrize("layout", ["nchw", "nhwc"])
@pytest.mark.parametrize(("dtype", "tolerance"), [("f32", 1e-5), ("f16", 2e-3), ("u8", 1.0)])
def test_elements_and_layouts(
    cuda: ModuleType, emulated: bool, dtype: str, tolerance: float, layout: str
) -> None:
    scale, offset = (SCALE, OFFSET) if dtype != "u8" else ((1.0, 1.0, 1.0), (0.0, 0.0, 0.0))
    frame, roi, size = frame_of("bayer_gb8"), (3, 2, 80, 50), (40, 28)
    network = network_of(
        cuda,
        emulated,
        pixel_format="bayer_gb8",
        rois=(roi,),
        size=size,
        dtype=dtype,
        layout=layout,
        scale=scale,
        offset=offset,
    )
    network.estimate([frame])
    tensor = preprocess_oracle.preprocess(frame, "bayer_gb8", size, roi, "rgb", scale, offset)
    wanted = preprocess_oracle.in_format(tensor, dtype, layout)
    found = tensor_in(network, wanted.shape, dtype)
    np.testing.assert_allclose(found, wanted, rtol=0, atol=tolerance)
    assert np.mean(found != wanted) < 0.01 or dtype != "u8"  # one level, where the oracle lies at .5


def test_a_roi_that_moves(cuda: ModuleType, emulated: bool) -> None:
    frame = frame_of("nv12")
    network = network_of(cuda, emulated, pixel_format="nv12", rois=((0, 0, 32, 24),))
    for x, y in ((0, 0), (31, 17), (64, 40)):
        network.move_roi(0, x, y)
        network.estimate([frame])
        wanted = preprocess_oracle.preprocess(frame, "nv12", (32, 24), (x, y, 32, 24), "rgb", SCALE, OFFSET)
        np.testing.assert_allclose(
            tensor_in(network, wanted.shape, "f32"), wanted, rtol=0, atol=TOLERANCE["nv12"]
        )


def test_rows_of_a_batch(cuda: ModuleType, emulated: bool) -> None:
    rois = ((0, 0, 64, 48), (20, 10, 64, 48), (32, 16, 64, 48))
    frames = [frame_of("mono8", seed) for seed in range(3)]
    network = network_of(cuda, emulated, rois=rois, outputs=((3, 1, 2, 2),))
    network.estimate(frames)
    found = tensor_in(network, (3, 3, 24, 32), "f32")
    for row, (frame, roi) in enumerate(zip(frames, rois, strict=True)):
        wanted = preprocess_oracle.preprocess(frame, "mono8", (32, 24), roi, "rgb", SCALE, OFFSET)
        np.testing.assert_allclose(found[row : row + 1], wanted, rtol=0, atol=1e-5)


ROIS = ((0, 0, 64, 48), (20, 10, 64, 48))
PARTS, MAP = 7, (19, 13)  # width, height


def affine(row: int) -> tuple[float, float, float, float]:
    return preprocess_oracle.tensor_to_sensor(ROIS[row], (32, 24))


def decoded(
    cuda: ModuleType, emulated: bool, decode: Any, outputs: list[NDArray[Any]], individuals: int = 1
) -> NDArray[np.float32]:
    network = network_of(
        cuda,
        emulated,
        rois=ROIS,
        outputs=tuple(values.shape for values in outputs),
        output_dtype="f16" if outputs[0].dtype == np.float16 else "f32",
        decode=decode,
        individuals=individuals,
        bodyparts=PARTS,
    )
    for index, values in enumerate(outputs):
        network.set_output(index, np.frombuffer(values.tobytes(), np.uint8))
    poses: NDArray[np.float32] = network.estimate([frame_of("mono8"), frame_of("mono8", 1)])
    return poses


def maps_of(channels: int, dtype: Any, seed: int = 2) -> NDArray[Any]:
    random = np.random.default_rng(seed)
    return random.normal(0, 2, (2, channels, MAP[1], MAP[0])).astype(dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
@pytest.mark.parametrize("activation", ["sigmoid", "none", "clip"])
def test_heatmap(cuda: ModuleType, emulated: bool, activation: str, dtype: Any) -> None:
    heatmap, locref = maps_of(PARTS, dtype), maps_of(2 * PARTS, dtype, 3)
    heatmap[0, 1] = np.nan
    heatmap[1, 2, 3, 4:6] = 20  # the first of them counts
    decode = cuda.heatmap_decode(
        bodyparts=PARTS, map_size=MAP, stride=8, locref_stdev=7.2801, activation=activation
    )
    poses = decoded(cuda, emulated, decode, [heatmap, locref])
    for row in range(2):
        wanted = decode_oracle.decode(
            heatmap[row : row + 1].astype(np.float32),
            locref[row : row + 1].astype(np.float32),
            stride=8,
            locref_stdev=7.2801,
            activation=activation,
            tensor_to_sensor=affine(row),
        )
        np.testing.assert_allclose(poses[row, 0], wanted, rtol=0, atol=1e-3)


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_soft_window(cuda: ModuleType, emulated: bool, dtype: Any) -> None:
    heatmap = np.abs(maps_of(PARTS, dtype))
    decode = cuda.soft_window_decode(bodyparts=PARTS, map_size=MAP, stride=4, size=5, min_score=0.2)
    poses = decoded(cuda, emulated, decode, [heatmap])
    for row in range(2):
        cells = heatmap[row].astype(np.float32)
        wanted = soft_heatmap.window_mean(cells, stride=4, size=5, min_score=0.2)
        scale_x, scale_y, offset_x, offset_y = affine(row)
        wanted = wanted * (scale_x, scale_y, 1) + (offset_x, offset_y, 0)
        np.testing.assert_allclose(poses[row, 0], wanted, rtol=0, atol=1e-3)


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_simcc(cuda: ModuleType, emulated: bool, dtype: Any) -> None:
    random = np.random.default_rng(4)
    x = random.normal(0, 1, (2, PARTS, 64)).astype(dtype)
    y = random.normal(0, 1, (2, PARTS, 48)).astype(dtype)
    x[:, :, 20] += 6
    y[:, :, 33] += 6
    decode = cuda.simcc_decode(bodyparts=PARTS, bins=(64, 48), split_ratio=2, temperature=1.5, softmax=True)
    poses = decoded(cuda, emulated, decode, [x, y])
    for row in range(2):
        wanted = decode_oracle.decode_simcc(
            x[row : row + 1].astype(np.float32),
            y[row : row + 1].astype(np.float32),
            split_ratio=2,
            temperature=1.5,
            softmax=True,
            tensor_to_sensor=affine(row),
        )
        np.testing.assert_allclose(poses[row, 0], wanted, rtol=0, atol=1e-3)


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_peaks(cuda: ModuleType, emulated: bool, dtype: Any) -> None:
    heatmap, individuals = maps_of(PARTS, dtype), 3
    decode = cuda.peaks_decode(bodyparts=PARTS, map_size=MAP, stride=8, nms_size=5, min_score=1.0)
    poses = decoded(cuda, emulated, decode, [heatmap], individuals)
    padded = np.pad(heatmap.astype(np.float64), ((0, 0), (0, 0), (2, 2), (2, 2)), constant_values=-np.inf)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (5, 5), (2, 3)).max((-1, -2))
    for row, part in np.ndindex(2, PARTS):
        cells = heatmap[row, part].astype(np.float64)
        rows, columns = np.nonzero((cells == windows[row, part]) & (cells >= 1))
        best = np.argsort(-cells[rows, columns], kind="stable")[:individuals]
        scale_x, scale_y, offset_x, offset_y = affine(row)
        wanted = np.full((individuals, 3), (np.nan, np.nan, 0.0))
        for place, index in enumerate(best):
            x, y = (columns[index] + 0.5) * 8, (rows[index] + 0.5) * 8
            score = cells[rows[index], columns[index]]
            wanted[place] = (x * scale_x + offset_x, y * scale_y + offset_y, score)
        np.testing.assert_allclose(poses[row, :, part], wanted, rtol=0, atol=1e-3)


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_a_decoder_of_the_cpu(cuda: ModuleType, emulated: bool, dtype: Any) -> None:
    from fastpose import _core

    heatmap, locref = maps_of(PARTS, dtype), maps_of(2 * PARTS, dtype, 3)
    options: dict[str, Any] = {"bodyparts": PARTS, "map_size": MAP, "stride": 8.0, "locref_stdev": 7.2801}
    stage = _core.heatmap_decode_stage(**options, activation="sigmoid")
    outputs = [heatmap, locref]
    on_host = decoded(cuda, emulated, cuda.host_decode(stage), outputs)
    on_device = decoded(cuda, emulated, cuda.heatmap_decode(**options, activation="sigmoid"), outputs)
    np.testing.assert_allclose(on_device, on_host, rtol=0, atol=1e-3)
