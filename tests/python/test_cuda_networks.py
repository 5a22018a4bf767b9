"""Whole networks through the engine's graph on an emulated GPU: the poses are those of the CPU."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastpose as fp
from emulated_gpu import emulated_gpu
from fastpose import _core
from fastpose.analyze_batches import batched_poses_of
from fastpose.model import TrackRoi
from tiny_package import save_points, save_simcc, write_package

SHIPPED = "builtin:simulated_mouse"
MAX_PX = 0.01


@pytest.fixture(autouse=True, scope="module", params=["captured", "refused", "gpu"])
def device(request: pytest.FixtureRequest) -> Iterator[str]:
    """With the network in the graph, or called by Python frame by frame; and on a GPU, where there is one."""
    if request.param == "gpu":
        pytest.importorskip("gpu").require_gpu()
        yield "gpu"
        return
    with emulated_gpu(refuses_capture=request.param == "refused") as module:
        assert module.CudaNetwork
        yield "emulated"


@pytest.fixture(scope="module")
def frames() -> list[np.ndarray]:
    camera = _core.Simulation(size=(320, 256), seed=5)
    return [camera.render(index * 20)[0].copy() for index in range(7)]


def near(ours: np.ndarray, theirs: np.ndarray) -> None:
    np.testing.assert_allclose(ours[..., :2], theirs[..., :2], atol=MAX_PX)
    np.testing.assert_allclose(ours[..., 2], theirs[..., 2], atol=1e-4)


def test_a_frame(frames: list[np.ndarray]) -> None:
    on_gpu, on_cpu = fp.load_model(SHIPPED, device="cuda:0"), fp.load_model(SHIPPED, precision="fp32")
    for frame in frames[:3]:
        near(on_gpu.estimate(frame).keypoints, on_cpu.estimate(frame).keypoints)
    assert "cuda:0" in repr(on_gpu)


def test_a_smaller_input_of_another_format(frames: list[np.ndarray]) -> None:
    rgb = np.repeat(frames[0][..., None], 3, axis=2)
    options: dict[str, Any] = {"roi": (8, 4, 288, 240), "input_size": (192, 160)}
    on_gpu = fp.load_model(SHIPPED, device="cuda:0", **options)
    on_cpu = fp.load_model(SHIPPED, precision="fp32", **options)
    near(on_gpu.estimate(rgb).keypoints, on_cpu.estimate(rgb).keypoints)


def test_a_roi_that_follows_the_animal(frames: list[np.ndarray]) -> None:
    track = TrackRoi((160, 128), margin_px=4)
    on_gpu = fp.load_model(SHIPPED, device="cuda:0", track=track)
    on_cpu = fp.load_model(SHIPPED, precision="fp32", track=track)
    for frame in frames:
        near(on_gpu.estimate(frame).keypoints, on_cpu.estimate(frame).keypoints)


def test_batches(frames: list[np.ndarray]) -> None:
    model = fp.load_model(SHIPPED, device="cuda:0")
    assert model.batches and not fp.load_model(SHIPPED).batches
    found = list(batched_poses_of([*frames, None], model.open_batch, "mono8", count=4))
    assert found[-1] is None
    for pose, frame in zip(found, frames, strict=False):
        assert pose is not None
        near(pose, model.estimate(frame).keypoints)


@pytest.mark.parametrize("decoder", ["simcc", "points"])
def test_other_decoders(tmp_path: Path, decoder: str, frames: list[np.ndarray]) -> None:
    if decoder == "simcc":
        files = {"model.onnx": lambda path: save_simcc(path, 1, (320, 256))}
        fields: dict[str, Any] = {
            "outputs": ["x", "y"],
            "simcc": {"split_ratio": 2.0},
            "input_size": [320, 256],
        }
    else:
        files = {"model.onnx": lambda path: save_points(path, 1, 1)}
        fields = {"outputs": ["points"], "activation": "none"}
    package = write_package(tmp_path / "package", files, decoder=decoder, locref_stdev=0.0, **fields)
    on_gpu, on_cpu = (fp.load_model(package, device=device, precision="fp32") for device in ("cuda:0", "cpu"))
    near(on_gpu.estimate(frames[0]).keypoints, on_cpu.estimate(frames[0]).keypoints)


def test_the_frame_on_the_device_is_the_frame(frames: list[np.ndarray], device: str) -> None:
    import ctypes

    if device == "gpu":
        pytest.skip("only the memory of an emulated GPU can be read from here")
    model = fp.load_model(SHIPPED, device="cuda:0")
    model.estimate(frames[2])
    array = model.frame.device
    assert array.shape == (256, 320)
    row_bytes = array.strides[0] if array.strides else 320
    memory = (ctypes.c_uint8 * (256 * row_bytes)).from_address(array.address)
    rows = np.frombuffer(memory, np.uint8).reshape(256, row_bytes)[:, :320]
    np.testing.assert_array_equal(rows, frames[2])


def test_a_detector_of_boxes_is_refused_by_name(tmp_path: Path, frames: list[np.ndarray]) -> None:
    from tiny_package import save_detector, save_heatmap

    detector = {
        "file": "detector.onnx",
        "kind": "boxes",
        "outputs": ["boxes", "scores"],
        "normalisation": {"scale": [1 / 255], "offset": [0.0]},
        "crop_size": [64, 64],
    }
    files = {"model.onnx": lambda path: save_heatmap(path, 1), "detector.onnx": save_detector}
    package = write_package(tmp_path / "package", files, detector=detector)
    with pytest.raises(fp.DeviceError, match=r"detector of model package 'tiny' gives a number of boxes"):
        fp.load_model(package, device="cuda:0").estimate(frames[0])


@pytest.mark.usefixtures("nothing_left")
def test_a_session(tmp_path: Path, device: str) -> None:
    """Frames from the ring's pinned memory; the poses are those of a session on the CPU."""
    from rigs import run_here

    (tmp_path / "gpu").mkdir(), (tmp_path / "cpu").mkdir()
    changes = {"cameras.top.frames_total": 20, "model.precision": "fp32"}
    on_gpu = run_here(tmp_path / "gpu", changes | {"model.device": "cuda:0"})
    on_cpu = run_here(tmp_path / "cpu", changes | {"model.device": "cpu"})
    assert on_gpu.frames["processed"].sum() > 0
    assert "cuda:0" in on_gpu.json["devices"]["network"]
    ours, theirs = on_gpu.poses(), on_cpu.poses()
    both = ours.index.intersection(theirs.index)
    assert len(both) > 0
    for frame in both:
        if ours.loc[frame].notna().all() and theirs.loc[frame].notna().all():
            near(ours.loc[frame].to_numpy().reshape(-1, 3), theirs.loc[frame].to_numpy().reshape(-1, 3))
    if device == "emulated":
        log = (on_gpu.folder / "log.txt").read_text()
        assert "runs in fp32 on the GPU" in log
