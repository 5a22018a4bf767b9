"""Every kind of network as `load_model` runs it equals the NumPy oracles in one chain."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import tiny_package as tiny
from fastpose import load_model
from fastpose.errors import ConfigError, DeviceError, ModelError
from oracle import crop as crop_oracle
from oracle import decode as decode_oracle
from oracle import preprocess as preprocess_oracle

pytest.importorskip("onnx")
pytest.importorskip("openvino")
_openvino = pytest.importorskip("fastpose._openvino")

Frame = npt.NDArray[np.uint8]
SCALE, OFFSET = (1 / 255, 1 / 255, 1 / 255), (0.0, 0.0, 0.0)


def scene(width: int, height: int, seed: int = 0) -> Frame:
    """Blobs, so that a shift by a pixel changes the maps."""
    rng = np.random.default_rng(seed)
    coarse = rng.uniform(0, 255, (height // 6 + 2, width // 6 + 2))
    return np.kron(coarse, np.ones((6, 6)))[:height, :width].astype(np.uint8)


def compare(actual: Any, expected: npt.NDArray[Any]) -> None:
    np.testing.assert_allclose(np.asarray(actual)[..., :2], expected[..., :2], atol=0.02)
    np.testing.assert_allclose(np.asarray(actual)[..., 2], expected[..., 2], atol=1e-4)


def reflect_package(folder: Path) -> Path:
    return tiny.write_package(
        folder,
        {"model.onnx": lambda path: tiny.save_heatmap(path, 1)},
        padding={"multiple": 32, "mode": "reflect"},
    )


@pytest.mark.parametrize(
    ("size", "roi", "input_size"),
    [
        ((160, 128), None, None),
        ((150, 121), None, None),
        ((150, 121), (11, 7, 99, 101), None),
        ((150, 121), None, (75, 60)),
    ],
    ids=["multiple", "padded", "roi", "resized"],
)
def test_reflect_padding(
    tmp_path: Path,
    size: tuple[int, int],
    roi: tuple[int, int, int, int] | None,
    input_size: tuple[int, int] | None,
) -> None:
    package, frame = reflect_package(tmp_path), scene(*size)
    seen = roi or (0, 0, *size)
    image = input_size or seen[2:]
    tensor = preprocess_oracle.preprocess(frame, "mono8", image, seen, "grey", SCALE, OFFSET)
    width, height = (-(-side // 32) * 32 for side in image)
    padded = preprocess_oracle.mirror(tensor, (width, height))
    maps = tiny.run_onnx(package / "model.onnx", padded, ("heatmap", "locref"))
    affine = preprocess_oracle.tensor_to_sensor(seen, image)
    if input_size is None:
        assert affine == (1, 1, seen[0], seen[1])
    expected = decode_oracle.decode(*maps, stride=8.0, tensor_to_sensor=affine)
    model = load_model(package, precision="fp32", threads=1, roi=roi, input_size=input_size)
    compare(model.estimate(frame), expected)


@pytest.mark.parametrize("layout", ["nchw", "nhwc"])
def test_a_network_that_takes_bytes_gives_the_same_pose(tmp_path: Path, layout: str) -> None:
    def floats(path: Path) -> None:
        tiny.save_heatmap(path, 3)

    def takes_bytes(path: Path) -> None:
        floats(path)
        tiny.take_bytes(path, layout, tiny.THREE)

    frame = np.stack([scene(96, 64, seed) for seed in range(3)], axis=2)
    poses = []
    for name, save in (("floats", floats), ("bytes", takes_bytes)):
        package = tiny.write_package(
            tmp_path / name, {"model.onnx": save}, colour="rgb", normalisation=tiny.THREE
        )
        model = load_model(package, precision="fp32", threads=1)
        poses.append(np.asarray(model.estimate(frame)))
    np.testing.assert_allclose(poses[1], poses[0], atol=1e-3)
    assert np.ptp(poses[0][:, 0]) > 0


@pytest.mark.parametrize(("layout", "shape"), [("nchw", (1, 3, 64, 96)), ("nhwc", (1, 64, 96, 3))])
def test_input_format_is_the_networks_own(tmp_path: Path, layout: str, shape: tuple[int, ...]) -> None:
    tiny.save_heatmap(tmp_path / "model.onnx", 3)
    tiny.take_bytes(tmp_path / "model.onnx", layout, tiny.THREE)
    backend = _openvino.load(
        str(tmp_path / "model.onnx"), input_shape=[1, 3, 64, 96], outputs=["heatmap"], precision="fp32"
    )
    assert backend.input_format == ("u8", layout)
    assert backend.input_shape == [1, 3, 64, 96]
    values = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    (heatmap,) = backend.run(values)
    planes = (values.transpose(0, 3, 1, 2) if layout == "nhwc" else values).astype(np.float32)
    scale, offset = (np.array(tiny.THREE[key], np.float32).reshape(3, 1, 1) for key in ("scale", "offset"))
    tiny.save_heatmap(tmp_path / "floats.onnx", 3)
    (expected,) = tiny.run_onnx(tmp_path / "floats.onnx", planes * scale + offset, ("heatmap",))
    np.testing.assert_allclose(heatmap, expected, atol=1e-3)
    with pytest.raises(ConfigError, match="uint8"):
        backend.run(values.astype(np.float32))


def test_reflect_padding_needs_enough_to_mirror(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="image size is 12x40"):
        load_model(reflect_package(tmp_path)).estimate(scene(12, 40))


def test_simcc(tmp_path: Path) -> None:
    size = (96, 64)
    package = tiny.write_package(
        tmp_path,
        {"model.onnx": lambda path: tiny.save_simcc(path, 1, size)},
        decoder="simcc",
        outputs=["x", "y"],
        simcc={"split_ratio": 2.0, "temperature": 5.0},
    )
    frame = scene(*size)
    tensor = preprocess_oracle.preprocess(frame, "mono8", size, (0, 0, *size), "grey", SCALE, OFFSET)
    x, y = tiny.run_onnx(package / "model.onnx", tensor, ("x", "y"))
    expected = decode_oracle.decode_simcc(x, y, temperature=5.0)
    compare(load_model(package, precision="fp32", threads=1).estimate(frame), expected)


@pytest.mark.parametrize("individuals", [1, 3])
def test_points(tmp_path: Path, individuals: int) -> None:
    package = tiny.write_package(
        tmp_path,
        {"model.onnx": lambda path: tiny.save_points(path, 1, individuals)},
        decoder="points",
        outputs=["points"],
        activation="none",
        individuals=[f"animal{i}" for i in range(individuals)],
    )
    frame = scene(80, 64)
    points = tiny.run_onnx(package / "model.onnx", frame[None, None] / 255, ("points",))[0]
    pose = load_model(package, precision="fp32", threads=1).estimate(frame)
    assert pose.keypoints.shape == (individuals, 3, 3)
    np.testing.assert_allclose(pose.keypoints, points, rtol=1e-4)


def top_down_package(folder: Path, **detector: Any) -> Path:
    section = {
        "file": "detector.onnx",
        "kind": "boxes",
        "outputs": ["boxes", "scores"],
        "normalisation": tiny.ONE,
        "crop_size": [64, 48],
        **detector,
    }
    return tiny.write_package(
        folder,
        {
            "model.onnx": lambda path: tiny.save_heatmap(path, 3),
            "detector.onnx": tiny.save_detector,
        },
        colour="rgb",
        normalisation=tiny.THREE,
        individuals=["a", "b", "c"],
        detector=section,
    )


def with_scores(frame: Frame, scores: list[float]) -> Frame:
    frame = frame.copy()
    frame[0, :4] = [round(255 * score) for score in scores]
    return frame


def one_animal(package: Path, frame: Frame, box: npt.NDArray[np.float32]) -> npt.NDArray[Any]:
    rectangle, full = crop_oracle.grow(tuple(map(float, box)), (64, 48), 0), (0, 0, *frame.shape[::-1])
    levels = crop_oracle.crop(frame, "mono8", rectangle, (64, 48), roi=full)
    scale, offset = (np.array(tiny.THREE[name])[:, None, None] for name in ("scale", "offset"))
    maps = tiny.run_onnx(package / "model.onnx", (levels * scale + offset)[None], ("heatmap", "locref"))
    affine = crop_oracle.way_back(rectangle, full, (64, 48))
    return decode_oracle.decode(*maps, stride=8.0, tensor_to_sensor=affine)


def test_top_down_in_the_order_of_the_scores(tmp_path: Path) -> None:
    package, frame = top_down_package(tmp_path), with_scores(scene(128, 112), [0.7, 0.9, 0.8, 0.65])
    pose = load_model(package, precision="fp32", threads=1).estimate(frame)
    assert pose.keypoints.shape == (3, 3, 3)
    for individual, box in enumerate((1, 2, 0)):
        compare(pose.keypoints[individual], one_animal(package, frame, tiny.BOXES[box]))


@pytest.mark.parametrize("found", [0, 1, 2])
def test_fewer_animals_than_individuals_are_missing(tmp_path: Path, found: int) -> None:
    package = top_down_package(tmp_path)
    model = load_model(package, precision="fp32", threads=1)
    model.estimate(with_scores(scene(128, 112, 1), [0.9, 0.9, 0.9, 0.9]))  # leaves three crops behind
    frame = with_scores(scene(128, 112), [0.9 if i < found else 0.5 for i in range(4)])
    pose = model.estimate(frame).keypoints
    assert np.isnan(pose[found:]).all()
    for individual in range(found):
        compare(pose[individual], one_animal(package, frame, tiny.BOXES[individual]))


def test_a_roi_is_all_that_a_top_down_network_sees(tmp_path: Path) -> None:
    package, frame = top_down_package(tmp_path), scene(128, 112)
    roi = (16, 8, 100, 96)
    x, y, width, height = roi
    frame[y, x : x + 4] = [255, 0, 0, 0]
    inside = np.ascontiguousarray(frame[y : y + height, x : x + width])
    expected = load_model(package, precision="fp32", threads=1).estimate(inside).keypoints
    pose = load_model(package, precision="fp32", threads=1, roi=roi).estimate(frame).keypoints
    np.testing.assert_allclose(pose[0, :, :2], expected[0, :, :2] + (x, y), atol=1e-3)
    assert np.isnan(pose[1:]).all()


def test_what_does_not_go_together_is_refused(tmp_path: Path) -> None:
    package = top_down_package(tmp_path / "top_down")
    with pytest.raises(ConfigError, match="input_size is"):
        load_model(package, input_size=(64, 64)).estimate(scene(128, 112))
    with pytest.raises(DeviceError, match="device fake"):
        load_model(package, device="fake").estimate(scene(128, 112))
    with pytest.raises(ModelError, match="centroids allow: centred"):
        centroids = top_down_package(tmp_path / "c", kind="centroids", outputs=["boxes"])
        load_model(centroids).estimate(scene(128, 112))
    wrong = tiny.write_package(
        tmp_path / "wrong",
        {"model.onnx": lambda path: tiny.save_points(path, 1, 1)},
        decoder="points",
        outputs=["points"],
        bodyparts=["one", "two"],
    )
    with pytest.raises(ModelError, match="output points has 3 rows"):
        load_model(wrong).estimate(scene(64, 64))
