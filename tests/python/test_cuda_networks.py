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
from fastpose.analyze import analyze_video
from fastpose.analyze_batches import batched_poses_of
from fastpose.importing.detect import detect
from fastpose.importing.imported import Options
from fastpose.importing.write import write_package as write_imported
from fastpose.model import TrackRoi
from make_videos import make_video
from tiny_package import save_points, save_simcc, write_package

SHIPPED = "builtin:simulated_mouse"
MAX_PX = 0.01
GOLDEN = Path(__file__).parent / "golden"


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


def test_a_whole_video(tmp_path: Path) -> None:
    """Batches, and what decoded the file: with a reason where it is not the card."""
    video = make_video(tmp_path / "v.mp4", frames=5, width=160, height=120)
    on_cpu = analyze_video(video, fp.load_model(SHIPPED, precision="fp32"), tmp_path / "cpu")
    on_gpu = analyze_video(video, fp.load_model(SHIPPED, device="cuda:0", precision="fp32"), tmp_path / "gpu")
    near(on_gpu.poses.keypoints, on_cpu.poses.keypoints)
    assert on_gpu.decoding == "NVDEC of cuda:0" or on_gpu.decoding.startswith("software (NVDEC: ")
    model = fp.load_model(SHIPPED, device="cuda:0", precision="fp32")
    assert analyze_video(video, model, decoder="software").decoding == "software (asked for)"


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


@pytest.mark.parametrize("kind", ["topdown", "topdown_half", "bottomup", "single"])
def test_networks_of_sleap(tmp_path: Path, kind: str) -> None:
    """Centroids and batched crops, peaks and limbs of a bottom-up network, a window around the maximum."""
    imported = detect(GOLDEN / "sleap" / kind).read(GOLDEN / "sleap" / kind, Options())
    write_imported(tmp_path / "package", imported)
    on_gpu, on_cpu = (
        fp.load_model(tmp_path / "package", device=name, precision="fp32") for name in ("cuda:0", "cpu")
    )
    found = 0
    for frame in imported.reference.frames[:4]:
        ours, theirs = on_gpu.estimate(frame).keypoints, on_cpu.estimate(frame).keypoints
        near(ours, theirs)
        found += int(np.isfinite(theirs[..., 0]).sum())
    assert found > 0


def test_a_roi_of_a_top_down_network(tmp_path: Path) -> None:
    source = GOLDEN / "sleap" / "topdown_half"
    imported = detect(source).read(source, Options())
    write_imported(tmp_path / "package", imported)
    frame = imported.reference.frames[0]
    height, width = frame.shape[:2]
    options: dict[str, Any] = {"roi": (8, 4, width - 24, height - 20), "precision": "fp32"}
    on_gpu, on_cpu = (
        fp.load_model(tmp_path / "package", device=name, **options) for name in ("cuda:0", "cpu")
    )
    near(on_gpu.estimate(frame).keypoints, on_cpu.estimate(frame).keypoints)


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


def boxes_package(folder: Path) -> Path:
    from tiny_package import save_detector, save_heatmap

    detector = {
        "file": "detector.onnx",
        "kind": "boxes",
        "outputs": ["boxes", "scores"],
        "normalisation": {"scale": [1 / 255], "offset": [0.0]},
        "crop_size": [64, 64],
    }
    files = {"model.onnx": lambda path: save_heatmap(path, 1), "detector.onnx": save_detector}
    return write_package(folder / "package", files, detector=detector, individuals=["a", "b", "c"])


def test_a_detector_of_boxes_is_refused_by_name(tmp_path: Path, frames: list[np.ndarray]) -> None:
    package = boxes_package(tmp_path)
    with pytest.raises(fp.DeviceError, match=r"a number of boxes.*use detector_device cpu, or device cpu"):
        fp.load_model(package, device="cuda:0").estimate(frames[0])


def test_a_detector_of_boxes_on_the_cpu_beside_the_gpu(tmp_path: Path, frames: list[np.ndarray]) -> None:
    package, frame = boxes_package(tmp_path), frames[0].copy()
    frame[0, :4] = [178, 230, 204, 166]  # the scores of its boxes
    on_gpu = fp.load_model(package, device="cuda:0", detector_device="cpu")
    on_cpu = fp.load_model(package, precision="fp32")
    ours, theirs = on_gpu.estimate(frame).keypoints, on_cpu.estimate(frame).keypoints
    assert np.isfinite(theirs[..., 0]).any()
    near(ours, theirs)
    assert "cuda:0" in repr(on_gpu) and "detector: " in repr(on_gpu)
    with pytest.raises(
        fp.ConfigError, match="detector_device is cpu; model package 'simulated_mouse' has no"
    ):
        fp.load_model(SHIPPED, device="cuda:0", detector_device="cpu").estimate(frame)


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
