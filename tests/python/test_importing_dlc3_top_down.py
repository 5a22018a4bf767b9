"""Top-down networks of DeepLabCut 3: detector and pose network in one package, run by the engine."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import openvino
import pytest
from openvino import opset13
from tools.oracles.dlc_cases import BODYPARTS, SEED

from dlc_golden import Golden, golden, names, network_of, torchvision_problem

pytest.importorskip("torch", reason='needs torch: pip install "fastpose-rig[import]"')

import torch

import dlc3_files as dlc3
from fastpose import load_model
from fastpose.errors import ModelError
from fastpose.importing import Options, dlc3_top_down, import_model
from fastpose.importing.networks.table import DETECTORS
from fastpose.importing.seeded import seed_detector, seeded_frames
from fastpose.model_package import read_model_package
from fastpose.verify import verify

ops: Any = opset13
MAX_PX, MAX_LIKELIHOOD = 0.02, 1e-4
ANIMALS = ("a", "b")
pytestmark = [
    pytest.mark.filterwarnings("ignore"),  # torch and torchvision speak of what they will drop
    pytest.mark.skipif(bool(torchvision_problem()), reason=torchvision_problem()),
]


@pytest.fixture(autouse=True)
def pooling_by_openvino(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without its compiled part torchvision pools thousands of boxes through gigabytes, for minutes."""
    poolers = pytest.importorskip("torchvision.ops.poolers")
    monkeypatch.setattr(poolers, "roi_align", roi_align)


def roi_align(
    values: torch.Tensor, rois: torch.Tensor, output_size: Any, spatial_scale: float, sampling_ratio: int
) -> torch.Tensor:
    """torchvision's roi_align, of maps (N, C, h, w) and boxes (n, 5) whose first column is the row."""
    if len(rois) == 0:
        return values.new_zeros(0, values.shape[1], *output_size)
    maps, boxes = ops.parameter(list(values.shape), np.float32), ops.parameter([-1, 4], np.float32)
    which = ops.parameter([-1], np.int32)
    size = [int(each) for each in output_size]
    pooled = ops.roi_align(maps, boxes, which, *size, sampling_ratio, spatial_scale, "avg", "asymmetric")
    network = openvino.Core().compile_model(openvino.Model([pooled], [maps, boxes, which]), "CPU")
    columns = rois.detach().numpy()
    found = network([values.detach().numpy(), columns[:, 1:].copy(), columns[:, 0].astype(np.int32)])[0]
    return torch.from_numpy(found.copy())


class AllFrames(torch.nn.Module):
    """A detector as DeepLabCut calls it, with a list of frames."""

    def __init__(self, model: torch.nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, frames: list[torch.Tensor]) -> Any:
        return self.model(frames)


def detector_of(name: str) -> tuple[dict[str, Any], Golden, Any]:
    """DeepLabCut's config of a detector, what it said, and ours with the same weights."""
    told = golden(name)
    section = told.config["detector"]
    network = DETECTORS[section["model"]["type"]](section["model"])
    settling = seeded_frames(4, *told.frames.shape[1:3], SEED)
    torch.set_num_threads(2)
    seed_detector(AllFrames(network.model), settling, SEED)
    return section, told, network


def write_export(path: Path, pose: str, finder: str, **changes: Any) -> Golden:
    """A .pt of both networks; they are independent of each other, as in DeepLabCut."""
    told, (section, _, detector) = golden(pose), detector_of(finder)
    config = copy.deepcopy(told.config)
    config["detector"] = section
    config["metadata"]["individuals"] = list(ANIMALS)
    content = {"config": config, "pose": network_of(told).state_dict(), "detector": detector.state_dict()}
    content |= changes
    torch.save({key: value for key, value in content.items() if value is not None}, path)
    return told


DETECTOR_NAMES = ["ssdlite", "fasterrcnn_mobilenet_v3_large_fpn", "fasterrcnn_resnet50_fpn_v2"]


def skip_unless_asked(detector: str, request: pytest.FixtureRequest) -> None:
    if detector.startswith("fasterrcnn") and not request.config.getoption("--all-networks"):
        pytest.skip("takes minutes: run with --all-networks")


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", DETECTOR_NAMES)
def test_a_detector_finds_the_boxes_of_deeplabcut(name: str, request: pytest.FixtureRequest) -> None:
    skip_unless_asked(name, request)
    _, told, network = detector_of(name)
    assert names(network.state_dict()) == str(told.arrays["names"])
    for frame, boxes, scores in zip(told.frames, told.arrays["boxes"], told.arrays["scores"], strict=True):
        tensor = torch.from_numpy(dlc3.network_input(frame))
        with torch.inference_mode():
            found, sure = (values.numpy() for values in network.eval()(tensor))
        count = int(np.isfinite(scores).sum())
        assert count > 0
        np.testing.assert_allclose(found[:count, :2], boxes[:count, :2], atol=MAX_PX)
        np.testing.assert_allclose(found[:count, 2:] - found[:count, :2], boxes[:count, 2:], atol=MAX_PX)
        np.testing.assert_allclose(sure[:count], scores[:count], atol=MAX_LIKELIHOOD)


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("pose", "detector"),
    [
        ("top_down_resnet_50", "ssdlite"),
        ("rtmpose_s", "ssdlite"),
        ("rtmpose_s", "fasterrcnn_mobilenet_v3_large_fpn"),
    ],
)
def test_the_engine_gives_the_poses_of_torch(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
    pose: str,
    detector: str,
) -> None:
    skip_unless_asked(detector, request)
    monkeypatch.setattr(dlc3_top_down, "BOX_NOISE", 0.06)  # random weights enlarge errors of rounding
    write_export(tmp_path / "td.pt", pose, detector)
    frames = seeded_frames(5, 288, 320, SEED)
    images = dlc3.write_images(tmp_path / "frames", frames)
    import_model(tmp_path / "td.pt", tmp_path / "package", Options(frames=images))
    package = read_model_package(tmp_path / "package")
    assert package.individuals == ANIMALS and package.bodyparts == BODYPARTS
    cell = verify(tmp_path / "package", precisions=["fp32"]).cells["cpu", "fp32"]
    assert cell["keypoints"] >= 5
    assert cell["missed"] == 0
    assert cell["max_px"] <= MAX_PX
    assert cell["max_likelihood"] <= MAX_LIKELIHOOD


def test_no_detection_is_nan(tmp_path: Path) -> None:
    write_export(tmp_path / "td.pt", "rtmpose_s", "ssdlite")
    frames = seeded_frames(1, 288, 320, SEED)
    import_model(
        tmp_path / "td.pt",
        tmp_path / "package",
        Options(frames=dlc3.write_images(tmp_path / "frames", frames)),
    )
    yaml = tmp_path / "package" / "model.yaml"
    yaml.write_text(yaml.read_text().replace("min_score: 0.6", "min_score: 1.0"))
    found = load_model(tmp_path / "package", precision="fp32").estimate(frames[0])
    assert np.isnan(np.asarray(found)[..., :2]).all()


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"detector": None}, "top-down) without a detector"),
        ({"detector": {}}, "top-down) without a detector"),
        ({"detector": {"x": torch.zeros(1)}}, "weights are missing, the first model."),
    ],
)
def test_what_is_refused(tmp_path: Path, changes: dict[str, Any], text: str) -> None:
    write_export(tmp_path / "td.pt", "rtmpose_s", "ssdlite", **changes)
    with pytest.raises(ModelError, match=text.replace(")", r"\)")):
        import_model(tmp_path / "td.pt", tmp_path / "package")


@pytest.mark.parametrize("kind", ["type", "unique_bodyparts", "crop_with_context"])
def test_configs_that_are_refused(tmp_path: Path, kind: str) -> None:
    config = copy.deepcopy(golden("rtmpose_s").config)
    text = {
        "type": "detector YOLO cannot be imported; supported: SSDLite, FasterRCNN",
        "unique_bodyparts": "unique_bodypart",
        "crop_with_context": "crop_with_context true",
    }[kind]
    if kind == "type":
        config["detector"]["model"]["type"] = "YOLO"
    elif kind == "unique_bodyparts":
        config["metadata"]["unique_bodyparts"] = ["lever"]
    else:
        config["data"]["inference"]["top_down_crop"]["crop_with_context"] = False
    write_export(tmp_path / "td.pt", "rtmpose_s", "ssdlite", config=config)
    with pytest.raises(ModelError, match=text):
        import_model(tmp_path / "td.pt", tmp_path / "package")
