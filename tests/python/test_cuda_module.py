"""fastpose._cuda: what it says of a machine, and the life of a network on an emulated GPU."""

from __future__ import annotations

import ctypes
import uuid
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from fastpose import _core
from fastpose.errors import ConfigError, DeviceError
from gpu import cuda_module, require_gpu

SIZE = (64, 48)  # width, height
CELL = 8


@pytest.fixture
def cuda() -> ModuleType:
    return cuda_module()


def floats_at(address: int, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Memory of the process as an array: the emulated GPU's is that."""
    array = (ctypes.c_float * int(np.prod(shape))).from_address(address)
    return np.frombuffer(array, np.float32).reshape(shape)


class Pooling:
    """A network on an emulated GPU: the peak of its map lies where the frame is bright."""

    def __init__(self, cuda: ModuleType, roi: tuple[int, int, int, int] = (0, 0, *SIZE), **options: Any):
        self.lines, self.columns = roi[3] // CELL, roi[2] // CELL
        self.network = cuda.CudaNetwork(
            preprocess=[
                cuda.Preprocess(
                    pixel_format="mono8",
                    frame_size=SIZE,
                    output_size=roi[2:],
                    roi=roi,
                    colour="grey",
                    scale=(1 / 255,) * 3,
                    offset=(0,) * 3,
                )
            ],
            input=cuda.Tensor("input", (1, 1, roi[3], roi[2])),
            outputs=[cuda.Tensor("heatmap", (1, 1, self.lines, self.columns))],
            decode=cuda.heatmap_decode(
                bodyparts=1,
                map_size=(self.columns, self.lines),
                stride=CELL,
                locref_stdev=0,
                activation="none",
            ),
            bodyparts=1,
            emulated=True,
            **options,
        )

    def run(self) -> bool:
        shape = (self.lines, CELL, self.columns, CELL)
        pixels = floats_at(self.network.input_address, shape)
        heatmap = floats_at(self.network.output_addresses[0], (self.lines, self.columns))
        heatmap[:] = pixels.sum((1, 3))
        return True

    def captured(self) -> Any:
        self.network.begin_capture()
        self.network.emulate_work(self.run)
        assert self.network.end_capture()
        self.network.keep(self)
        self.network.finish()
        return self.network


def bright(x: int, y: int) -> NDArray[np.uint8]:
    frame = np.zeros(SIZE[::-1], np.uint8)
    frame[y, x] = 255
    return frame


def centre(x: int, y: int) -> list[int]:
    return [x // CELL * CELL + CELL // 2, y // CELL * CELL + CELL // 2]


def test_status_never_raises(cuda: ModuleType) -> None:
    status = cuda.status()
    assert status["runtime"].split(".")[0] in ("12", "13")
    assert status["built_for"]
    assert bool(status["problem"]) != any(not device["problem"] for device in status["devices"])


def test_without_a_driver_the_way_out_is_named(cuda: ModuleType) -> None:
    if cuda.status()["driver"]:
        pytest.skip("this machine has a driver")
    with pytest.raises(DeviceError, match=r"cuda:0: there is no NVIDIA driver; needed .* device cpu"):
        cuda.require_device(0)
    with pytest.raises(DeviceError, match="driver"):
        cuda.CudaBackend(input=cuda.Tensor("input", (1, 1, 8, 8)), outputs=[])


def test_a_gpu_is_usable() -> None:
    require_gpu()
    cuda_module().require_device(0)


def test_an_estimator_of_the_engine(cuda: ModuleType) -> None:
    network = Pooling(cuda).captured()
    assert network.description.startswith("cuda:0 emulated, one graph, ")
    pipeline = _core.Pipeline(_core.PipelineParts(estimator=cuda.estimator(network), bodyparts=1))
    for x, y in ((3, 4), (60, 44)):
        pose = pipeline.process(bright(x, y), pixel_format="mono8")
        assert pose.reshape(-1)[:2].tolist() == centre(x, y)
    times = network.last_times
    assert times["network"] > 0
    assert times["wait"] >= 0


def test_a_roi_that_follows(cuda: ModuleType) -> None:
    wide, narrow = Pooling(cuda).captured(), Pooling(cuda, (0, 0, 32, 32)).captured()
    estimator = cuda.track_roi(wide=wide, narrow=narrow, margin_px=4, step_px=8, min_likelihood=0.5)
    pipeline = _core.Pipeline(_core.PipelineParts(estimator=estimator, bodyparts=1))
    for x, y in ((20, 20), (28, 22), (36, 30)):
        pose = pipeline.process(bright(x, y), pixel_format="mono8")
        assert pose.reshape(-1)[:2].tolist() == centre(x, y)
    assert narrow.last_times["launch"] > 0


def test_a_call_that_fails(cuda: ModuleType) -> None:
    pooling = Pooling(cuda)
    answers = [True] * 5
    pooling.network.call_each_frame(lambda: answers.pop() and pooling.run())
    pooling.network.finish()
    with pytest.raises(DeviceError, match="the network refused a frame"):
        answers.append(False)
        pooling.network.estimate([bright(1, 1)])


def test_frames_of_a_ring_are_pinned(cuda: ModuleType) -> None:
    ring = _core.Ring.create(
        f"fastpose-test-{uuid.uuid4().hex[:8]}",
        slots=8,
        width=SIZE[0],
        height=SIZE[1],
        pixel_format="mono8",
        frames="newest",
        loop=True,
        recorder=False,
    )
    network = Pooling(cuda).captured()
    network.register(cuda.PinnedRing(ring, emulated=True))
    slot = ring.acquire(100)
    pixels = np.asarray(ring.memory(slot)).reshape(SIZE[::-1])
    pixels[:] = bright(40, 20)
    assert network.estimate([pixels])[0, 0, 0, :2].tolist() == centre(40, 20)


def test_what_does_not_fit_is_refused(cuda: ModuleType) -> None:
    network = Pooling(cuda).network
    with pytest.raises(ConfigError, match="there is no network yet"):
        network.finish()
    with pytest.raises(ConfigError, match="graph is 0"):
        network.adopt_graph(0)
    with pytest.raises(ConfigError, match="allowed: f32, f16, u8"):
        cuda.Tensor("input", (1,), "bf16")
    good = Pooling(cuda).captured()
    with pytest.raises(ConfigError, match="2 frames; allowed: one for each of the 1 rows"):
        good.estimate([bright(1, 1)] * 2)
    with pytest.raises(ConfigError, match="shape"):
        good.estimate([bright(1, 1)[:-1]])
