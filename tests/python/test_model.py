"""Networks without a rig: every kind of frame, the NumPy oracles in one chain, and what is refused."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import yaml

import fastpose as fp
from fastpose import Model, load_model
from fastpose.errors import ConfigError, DeviceError, ModelError
from fastpose.sim import Simulation
from oracle.decode import decode
from oracle.preprocess import preprocess, tensor_to_sensor

SHIPPED = Path(fp.__file__).parent / "models" / "simulated_mouse"
Frame = npt.NDArray[np.uint8]


@pytest.fixture(scope="module")
def model() -> Model:
    return load_model(SHIPPED, precision="fp32", threads=1)


def scene(
    pixel_format: str = "mono8", size: tuple[int, int] = (320, 240), index: int = 40
) -> tuple[Frame, Frame]:
    """A frame and the keypoints (bodyparts, 3) in it."""
    frame, truth = Simulation(size=size, seed=3, noise=1.0, pixel_format=pixel_format).render(index)
    return frame, truth[0]


def run_network(package: Path, tensor: npt.NDArray[np.floating]) -> list[npt.NDArray[np.float32]]:
    """Heatmap and locref, by OpenVINO's own Python API."""
    openvino = pytest.importorskip("openvino")
    core = openvino.Core()
    network = core.read_model(str(package / "model.onnx"))
    network.reshape(tensor.shape)
    compiled = core.compile_model(network, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    result = compiled(tensor.astype(np.float32))
    return [result[name] for name in ("heatmap", "locref")]


@pytest.mark.parametrize(
    ("size", "roi", "input_size"),
    [
        ((320, 240), None, None),
        ((321, 243), None, None),
        ((320, 240), (30, 21, 200, 160), None),
        ((320, 240), (16, 8, 280, 200), (160, 120)),
    ],
    ids=["plain", "odd", "roi", "resized"],
)
@pytest.mark.parametrize("pixel_format", ["mono8", "rgb8", "bgr8", "bayer_rg8", "bayer_gb8"])
def test_estimate_is_the_oracles_in_one_chain(
    pixel_format: str,
    size: tuple[int, int],
    roi: tuple[int, int, int, int] | None,
    input_size: tuple[int, int] | None,
) -> None:
    frame, _ = scene(pixel_format, size)
    model = load_model(SHIPPED, precision="fp32", threads=1, roi=roi, input_size=input_size)
    package = yaml.safe_load((SHIPPED / "model.yaml").read_text())
    seen = roi or (0, 0, *size)
    width, height = input_size or tuple(-(-side // 8) * 8 for side in seen[2:])
    scale, offset = (package["normalisation"][name] * 3 for name in ("scale", "offset"))
    tensor = preprocess(
        frame, pixel_format, (width, height), seen, "grey", tuple(scale[:3]), tuple(offset[:3])
    )
    heatmap, locref = run_network(SHIPPED, tensor)
    expected = decode(
        heatmap,
        locref,
        package["stride"],
        package["locref_stdev"],
        package["activation"],
        tensor_to_sensor(seen, (width, height)),
    )
    pose = np.asarray(model.estimate(frame, pixel_format=pixel_format))
    assert pose[:, :2] == pytest.approx(expected[:, :2], abs=0.02)
    assert pose[:, 2] == pytest.approx(expected[:, 2], abs=1e-3)


def test_it_finds_the_simulated_animal(model: Model) -> None:
    distances = []
    for index in range(0, 100, 10):
        frame, truth = Simulation(size=(640, 480), seed=11).render(index)
        pose = np.asarray(model.estimate(frame))
        distances.append(np.linalg.norm(pose[:, :2] - truth[0, :, :2], axis=1))
    assert np.median(distances) < 2.0


def test_colours_of_one_scene_give_one_pose(model: Model) -> None:
    grey, _ = scene()
    rgb = np.repeat(grey[:, :, None], 3, axis=2)
    expected = np.asarray(model.estimate(grey))
    assert np.asarray(model.estimate(rgb)) == pytest.approx(expected, abs=1e-3)
    assert np.asarray(model.estimate(rgb, pixel_format="bgr8")) == pytest.approx(expected, abs=1e-3)
    coloured, _ = scene("rgb8")
    swapped = np.ascontiguousarray(coloured[:, :, ::-1])
    assert np.array_equal(
        np.asarray(model.estimate(coloured)), np.asarray(model.estimate(swapped, pixel_format="bgr8"))
    )


def test_rows_need_not_lie_together_in_memory(model: Model) -> None:
    frame, _ = scene()
    wide = np.zeros((240, 700), np.uint8)
    wide[:, ::2][:, :320] = frame
    view = wide[:, ::2][:, :320]
    assert not view.flags.c_contiguous
    assert np.array_equal(np.asarray(model.estimate(view)), np.asarray(model.estimate(frame)))


def test_sizes_may_alternate_and_the_same_frame_gives_the_same_pose(model: Model) -> None:
    frames = [scene(size=size)[0] for size in ((320, 240), (161, 121), (64, 64))]
    first = [np.asarray(model.estimate(frame)).copy() for frame in frames]
    second = [np.asarray(model.estimate(frame)) for frame in frames]
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))
    assert all(np.isfinite(pose).all() for pose in first)


def test_a_pose_stays_as_it_is(model: Model) -> None:
    pose = model.estimate(scene(index=5)[0])
    before = np.array(pose)
    model.estimate(scene(index=60)[0])
    assert np.array_equal(np.asarray(pose), before)


def test_estimate_gives_a_pose(model: Model) -> None:
    pose = model.estimate(scene()[0])
    assert np.asarray(pose).shape == (5, 3)
    assert np.asarray(pose).dtype == np.float32
    assert pose["snout"].shape == (3,)
    assert model.bodyparts == pose.bodyparts == ("snout", "leftear", "rightear", "center", "tailbase")
    assert "simulated_mouse" in repr(model)


@pytest.mark.parametrize(
    ("frame", "pixel_format", "text"),
    [
        (np.zeros((48, 64), np.float32), None, "dtype float32; mono8 needs (H, W) uint8"),
        (np.zeros((48, 64), np.uint16), None, "dtype uint16; mono8 needs (H, W) uint8"),
        (np.zeros((48, 64, 4), np.uint8), None, "shape (48, 64, 4)"),
        (np.zeros((48, 64, 1), np.uint8), None, "shape (48, 64, 1)"),
        (np.zeros((48, 64), np.uint8), "rgb8", "rgb8 needs (H, W, 3) uint8"),
        (np.zeros((48, 64, 3), np.uint8), "mono8", "mono8 needs (H, W) uint8"),
        (np.zeros((48, 64, 3), np.uint8), "bayer_rg8", "bayer_rg8 needs (H, W) uint8"),
        (np.zeros(64, np.uint8), None, "shape (64,)"),
        (np.zeros((2, 3, 4, 5), np.uint8), None, "shape (2, 3, 4, 5)"),
        (np.zeros((0, 64), np.uint8), None, "shape (0, 64)"),
        (np.zeros((48, 64), np.uint8), "yuv", "pixel_format is 'yuv'; allowed: mono8, rgb8, bgr8"),
        (np.zeros((48, 64), np.uint8), "bayer_xx8", "pixel_format is 'bayer_xx8'; allowed"),
        ([[0, 0], [0, 0]], None, "frame is a list; allowed: a NumPy array"),
        (None, None, "frame is a NoneType; allowed: a NumPy array"),
    ],
)
def test_a_frame_that_does_not_fit_is_refused(
    model: Model, frame: Frame, pixel_format: str | None, text: str
) -> None:
    with pytest.raises(ConfigError) as info:
        model.estimate(frame, pixel_format=pixel_format)
    assert text in str(info.value)
    assert len(info.value.lines) == 1


def test_a_roi_outside_the_frame_is_refused() -> None:
    model = load_model(SHIPPED, roi=(300, 0, 100, 100))
    with pytest.raises(ConfigError, match="roi"):
        model.estimate(scene()[0])


def test_a_small_frame_is_no_crash(model: Model) -> None:
    assert np.asarray(model.estimate(np.full((1, 1), 128, np.uint8))).shape == (5, 3)
    assert np.asarray(model.estimate(np.full((9, 3), 128, np.uint8))).shape == (5, 3)


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ({"device": "gpu"}, DeviceError, "'gpu'; allowed: cpu, cuda, cuda:N, fake"),
        ({"precision": "int3"}, (DeviceError, ConfigError), "int3"),
        ({"input_size": (100, 99)}, ConfigError, "input_size is [100, 99]; allowed: multiples of 8"),
    ],
)
def test_what_cannot_be_had_is_said(arguments: dict[str, object], error: type[Exception], text: str) -> None:
    with pytest.raises(error) as info:
        load_model(SHIPPED, **arguments).estimate(scene()[0])  # type: ignore[arg-type]
    assert text in str(info.value)


def test_builtin_names_a_package_that_is_shipped() -> None:
    assert load_model("builtin:simulated_mouse").bodyparts[0] == "snout"
    with pytest.raises(ModelError, match="no such folder"):
        load_model("builtin:unicorn")


def test_a_missing_package() -> None:
    with pytest.raises(ModelError, match="'/nowhere/mouse': no such folder"):
        load_model("/nowhere/mouse")


def copied(folder: Path, **changes: object) -> Path:
    """The shipped package with other entries in model.yaml."""
    shutil.copytree(SHIPPED, folder)
    description = yaml.safe_load((folder / "model.yaml").read_text()) | changes
    (folder / "model.yaml").write_text(yaml.safe_dump(description))
    return folder


def test_a_network_that_is_not_what_its_description_says(tmp_path: Path) -> None:
    package = copied(tmp_path / "p", bodyparts=["snout", "center"], skeleton=[])
    with pytest.raises(ModelError, match=r"heatmap has 5 channels, 2 bodyparts need 2"):
        load_model(package).estimate(scene()[0])


def test_a_changed_network_is_refused(tmp_path: Path) -> None:
    package = copied(tmp_path / "p")
    content = bytearray((package / "model.onnx").read_bytes())
    content[1000] ^= 1
    (package / "model.onnx").write_bytes(content)
    with pytest.raises(ModelError, match="sha256"):
        load_model(package)


def test_a_network_that_is_none(tmp_path: Path) -> None:
    rubbish = b"this is no network" * 10
    package = copied(tmp_path / "p", sha256={"model.onnx": hashlib.sha256(rubbish).hexdigest()})
    (package / "model.onnx").write_bytes(rubbish)
    with pytest.raises(ModelError) as info:
        load_model(package).estimate(scene()[0])
    assert len(info.value.lines) == 1


def test_several_animals_are_refused_until_a_decoder_gives_them(tmp_path: Path) -> None:
    package = copied(tmp_path / "p", individuals=["a", "b"])
    with pytest.raises(ModelError, match="2 individuals; decoder heatmap gives one"):
        load_model(package).estimate(scene()[0])


def test_the_fake_device_runs_no_network() -> None:
    model = load_model("builtin:simulated_mouse", device="fake")
    frame = np.zeros((120, 160), np.uint8)
    first, second = (np.asarray(model.estimate(frame)).copy() for _ in range(2))
    assert second[0, 0] - first[0, 0] == 8.0
