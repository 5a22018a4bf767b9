"""`fastpose.dlclive.DLCLive` against DeepLabCut-live itself on the same export and frames, by option."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tools.oracles.dlc_live_cases import (
    CASES,
    CONFIG,
    CROP,
    DETECTOR_SETTLING,
    FRAMES,
    SEED,
    SHIFT,
    config_of,
    options,
    picked,
    settling,
)

from dlc_golden import torchvision_problem

pytest.importorskip("torch", reason='needs torch: pip install "fastpose-rig[import]"')
pytest.importorskip("onnx", reason='needs onnx: pip install "fastpose-rig[import]"')

import torch

from dlc3_files import write_images
from fastpose.dlclive import DLCLive
from fastpose.errors import ModelError
from fastpose.importing import Options, import_model
from fastpose.importing.seeded import seed_detector, seed_pose_model, seeded_frames

GOLDEN = Path(__file__).parent / "golden" / "dlclive" / "poses.npz"
MAX_PX = 0.02
MAX_LIKELIHOOD = 1e-4


class Shifting:
    """The processor of a case."""

    def process(self, pose: np.ndarray, **kwargs: Any) -> np.ndarray:
        return pose + np.array([kwargs["shift"], kwargs["shift"], 0], pose.dtype)

    def save(self, file: str = "") -> int:
        return 0


def network_of(config: dict[str, Any]) -> Any:
    """Ours, without weights."""
    from fastpose.importing.networks.table import BACKBONES, HEADS

    class Network(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.backbone = BACKBONES[config["backbone"]["type"]](config["backbone"])
            heads = {name: HEADS[head["type"]](head) for name, head in config["heads"].items()}
            self.heads = torch.nn.ModuleDict(heads)

        def forward(self, frames: Any) -> dict[str, Any]:
            features = self.backbone(frames)
            return {name: head(features) for name, head in self.heads.items()}

    return Network()


def detector_of(section: dict[str, Any]) -> dict[str, Any]:
    """State dict of the oracle's detector."""
    if problem := torchvision_problem():
        pytest.skip(problem)
    from fastpose.importing.networks.table import DETECTORS

    class AllFrames(torch.nn.Module):
        def __init__(self, model: Any) -> None:
            super().__init__()
            self.model = model

        def forward(self, frames: Any) -> Any:
            return self.model(frames)

    detector = DETECTORS[section["type"]](section)
    seed_detector(AllFrames(detector.model), seeded_frames(*DETECTOR_SETTLING, SEED), SEED)
    return dict(detector.state_dict())


class Exports:
    """The oracle's seeded ``.pt`` by case, made when first asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def model_of(self, case: dict[str, Any]) -> Path:
        """What DLCLive opens: the file, or where its reference would take minutes the package made of it."""
        export = self.of(case)
        if not case.get("network", "").endswith(
            "_paf"
        ):  # noise has a thousand peaks in a frame of usual size
            return export
        package = export.with_suffix("")
        if not package.exists():
            frames = write_images(self._folder / "frames", seeded_frames(1, 96, 128, SEED))
            import_model(export, package, Options(frames=frames))
        return package

    def of(self, case: dict[str, Any]) -> Path:
        path = self._folder / f"{case.get('network', 'seeded')}.pt"
        if not path.exists():
            torch.set_num_threads(1)  # sums in the oracle's order
            config = config_of(case)
            network = network_of(config["model"])
            seed_pose_model(network, seeded_frames(*settling(case), SEED), SEED)
            detector = detector_of(config["detector"]["model"]) if "detector" in case else None
            torch.save({"config": config, "pose": network.state_dict(), "detector": detector}, path)
        return path


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """With a cache of its own for what is made of them."""
    folder = tmp_path_factory.mktemp("export")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FASTPOSE_CACHE", str(folder / "cache"))
        yield Exports(folder)


@pytest.fixture(scope="module")
def export(exports: Exports) -> Path:
    """Of CONFIG."""
    return exports.of({})


@pytest.fixture(scope="module")
def golden() -> dict[str, np.ndarray]:
    with np.load(GOLDEN, allow_pickle=False) as file:
        return {key: file[key] for key in file.files}


def rgb_frames(case: dict[str, Any]) -> list[np.ndarray]:
    count = case.get("of", FRAMES["count"])
    return picked(case, seeded_frames(count, FRAMES["height"], FRAMES["width"], SEED))


def bgr_frames(case: dict[str, Any]) -> list[np.ndarray]:
    """As a camera of OpenCV gives them; grey where the case says so."""
    frames = [frame[:, :, ::-1].copy() for frame in rgb_frames(case)]
    return [frame[:, :, 1].copy() for frame in frames] if case.get("grey") else frames


def poses_of(live: DLCLive, frames: list[np.ndarray], **kwargs: Any) -> list[np.ndarray]:
    first = live.init_inference(frames[0], **kwargs)
    return [first, *(live.get_pose(frame, **kwargs) for frame in frames[1:])]


def assert_agree(poses: list[np.ndarray], expected: np.ndarray) -> None:
    assert len(poses) == len(expected)
    for pose, told in zip(poses, map(without_extras, expected), strict=True):
        assert pose.shape == told.shape and pose.dtype == told.dtype
        np.testing.assert_allclose(pose[..., :2], told[..., :2], rtol=0, atol=MAX_PX)
        np.testing.assert_allclose(pose[..., 2], told[..., 2], rtol=0, atol=MAX_LIKELIHOOD)


def without_extras(pose: np.ndarray) -> np.ndarray:
    """x, y, likelihood of the animals that were found.

    With part affinity fields DeepLabCut-live has identity and affinity in two more columns, and rows of -1
    for animals that are not there.
    """
    if pose.shape[-1] == 3:
        return pose
    there = pose[..., 4] >= 0
    if pose.ndim == 3:
        return pose[there.all(axis=1), :, :3]
    return np.where(there[:, None], pose[:, :3], np.float32([np.nan, np.nan, 0]))


@pytest.mark.parametrize("name", [name for name in CASES if "inside" not in CASES[name]])
def test_same_poses(name: str, exports: Exports, golden: dict[str, np.ndarray]) -> None:
    case = CASES[name]
    model = exports.model_of(case)
    processor = Shifting() if case.get("processor") else None
    live = DLCLive(model, model_type="pytorch", device="cpu", processor=processor, **options(case))
    kwargs = {"shift": SHIFT} if processor else {}
    assert_agree(poses_of(live, bgr_frames(case), **kwargs), golden[f"{name}.poses"])


def test_the_window_moves_and_is_the_same(export: Path, golden: dict[str, np.ndarray]) -> None:
    live = DLCLive(export, dynamic=CASES["dynamic"]["dynamic"])
    windows = []
    for number, frame in enumerate(bgr_frames({})):
        _ = live.get_pose(frame) if number else live.init_inference(frame)
        windows.append(live.dynamic_cropping or [-1] * 4)
    assert windows == golden["dynamic.windows"].tolist()
    assert len({tuple(window) for window in windows}) > 2  # else the case would prove nothing


def test_rgb_frames_need_no_swap(export: Path, golden: dict[str, np.ndarray]) -> None:
    live = DLCLive(export, convert2rgb=False)
    assert_agree(poses_of(live, rgb_frames({})), golden["plain.poses"])


def test_crop_and_dynamic_together_follow_the_animal(export: Path, golden: dict[str, np.ndarray]) -> None:
    live = DLCLive(export, cropping=CROP, dynamic=CASES["dynamic"]["dynamic"])
    expected = golden["dynamic_inside.poses"] + np.float32([CROP[0], CROP[2], 0])
    assert_agree(poses_of(live, bgr_frames({})), expected)


def test_the_config_is_deeplabcuts_own(export: Path) -> None:
    live = DLCLive(export)
    assert live.cfg["model"] == CONFIG["model"]
    assert live.read_config()["metadata"]["bodyparts"] == CONFIG["metadata"]["bodyparts"]


def test_a_second_start_imports_nothing(export: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    DLCLive(export)
    monkeypatch.setattr("fastpose.importing.import_model", lambda *_: pytest.fail("imported again"))
    DLCLive(export)


def test_golden_names_its_makers(golden: dict[str, np.ndarray]) -> None:
    assert json.loads(str(golden["versions"]))["deeplabcut-live"] == "1.1.0"


def test_a_window_cannot_follow_what_a_detector_finds(exports: Exports) -> None:
    with pytest.raises(
        ModelError, match="simcc with a detector; dynamic cropping needs decoder heatmap or paf"
    ):
        DLCLive(exports.of(CASES["top_down_simcc"]), dynamic=(True, 0.5, 10))


def test_a_window_cannot_follow_two_animals(exports: Exports) -> None:
    live = DLCLive(exports.model_of(CASES["paf"]), dynamic=(True, 0.0, 10), single_animal=False)
    frame = bgr_frames(CASES["paf"])[0]
    assert len(live.init_inference(frame)) > 1
    with pytest.raises(ValueError, match="follows one animal"):
        live.get_pose(frame)
