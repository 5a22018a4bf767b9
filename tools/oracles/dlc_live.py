"""Asks DeepLabCut-live itself: its DLCLive on a seeded export and seeded frames, option by option.

Runs in an environment that holds DeepLabCut-live (`nox -s oracle_dlclive` makes one) and imports nothing of
ours but two files without dependencies, by their paths.

    python tools/oracles/dlc_live.py FILE [--golden OLD]      # writes FILE (npz), compares it with OLD
"""

from __future__ import annotations

import argparse
import copy
import importlib.util
import json
import sys
import tempfile
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

HERE = Path(__file__).resolve().parent
AGREES_PX = 1e-3
"""Another machine's float arithmetic may move a keypoint by this much."""


def by_path(path: Path) -> ModuleType:
    """Load a file as a module, without the package around it."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


cases = by_path(HERE / "dlc_live_cases.py")
seeded = by_path(HERE.parents[1] / "python" / "fastpose" / "importing" / "seeded.py")


class Shifting:
    """The processor of a case."""

    def process(self, pose: npt.NDArray[Any], **kwargs: Any) -> npt.NDArray[Any]:
        """Add the shift that the caller gave."""
        shift: npt.NDArray[Any] = np.array([kwargs["shift"], kwargs["shift"], 0], pose.dtype)
        shifted: npt.NDArray[Any] = pose + shift
        return shifted

    def save(self, file: str = "") -> int:
        """There is nothing to save."""
        return 0


def main() -> None:
    """Write the golden file; exit with 1 where it differs from an older one."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("file", type=Path)
    parser.add_argument("--golden", type=Path)
    arguments = parser.parse_args()
    answers = asked()
    np.savez_compressed(arguments.file, allow_pickle=False, **answers)
    if arguments.golden is not None:
        sys.exit(not agree(answers, np.load(arguments.golden)))


def asked() -> dict[str, npt.NDArray[Any]]:
    """Poses of each case, windows of dynamic cropping, and the versions that made them."""
    answers: dict[str, npt.NDArray[Any]] = {"versions": np.array(json.dumps(versions()))}
    with tempfile.TemporaryDirectory() as folder:
        for name, case in cases.CASES.items():
            model = Path(folder) / f"{case.get('network', 'seeded')}.pt"
            if not model.exists():
                write_export(model, case)
            answers |= {f"{name}.{key}": values for key, values in answer(model, case).items()}
    return answers


def versions() -> dict[str, str]:
    """Of the tool and of what it computes with."""
    from importlib.metadata import version

    return {name: version(name) for name in ("deeplabcut-live", "torch", "timm", "numpy")}


def write_export(path: Path, case: dict[str, Any]) -> None:
    """Write the seeded network of a case in the form of ``deeplabcut.export_model``."""
    import torch
    from dlclive.pose_estimation_pytorch.models.model import PoseModel

    torch.set_num_threads(1)  # sums in the same order everywhere
    config = cases.config_of(case)
    model = PoseModel.build(config["model"])
    seeded.seed_pose_model(model, seeded.seeded_frames(*cases.settling(case), cases.SEED), cases.SEED)
    detector = seeded_detector(config["detector"]["model"]) if "detector" in case else None
    torch.save({"config": config, "pose": model.state_dict(), "detector": detector}, path)


def seeded_detector(section: dict[str, Any]) -> dict[str, Any]:
    """State dict of the detector that a config describes."""
    from dlclive.pose_estimation_pytorch.models import DETECTORS

    detector = DETECTORS.build(dict(section))
    seeded.seed_detector(detector, seeded.seeded_frames(*cases.DETECTOR_SETTLING, cases.SEED), cases.SEED)
    state: dict[str, Any] = detector.state_dict()
    return state


def answer(model: Path, case: dict[str, Any]) -> dict[str, npt.NDArray[Any]]:
    """One case: poses (n, [individuals,] K, 3) and windows (n, 4), -1 where the whole frame was seen."""
    from dlclive import DLCLive

    options = copy.deepcopy(cases.options(case))
    processor = Shifting() if case.get("processor") else None
    live = DLCLive(model, model_type="pytorch", device="cpu", processor=processor, **options)
    kwargs = {"shift": cases.SHIFT} if processor else {}
    poses, windows = [], []
    for number, frame in enumerate(frames(case)):
        pose = live.get_pose(frame, **kwargs) if number else live.init_inference(frame, **kwargs)
        poses.append(np.array(pose))
        windows.append(live.dynamic_cropping or [-1] * 4)
    return {"poses": np.stack(poses), "windows": np.array(windows)}


def frames(case: dict[str, Any]) -> list[npt.NDArray[np.uint8]]:
    """BGR frames (H, W, 3), or grey ones (H, W)."""
    size = cases.FRAMES
    count = case.get("of", size["count"])
    rgb = cases.picked(case, seeded.seeded_frames(count, size["height"], size["width"], cases.SEED))
    x1, x2, y1, y2 = cases.CROP if case.get("inside") else (0, size["width"], 0, size["height"])
    found = [frame[y1:y2, x1:x2, ::-1].copy() for frame in rgb]
    return [frame[:, :, 1].copy() for frame in found] if case.get("grey") else found


def agree(new: dict[str, npt.NDArray[Any]], old: Any) -> bool:
    """Print by how much each case moved since the older file."""
    good = True
    for name in cases.CASES:
        if f"{name}.poses" not in old:
            print(f"{name}: new")
            continue
        moved = float(np.abs(new[f"{name}.poses"] - old[f"{name}.poses"]).max())
        good = good and moved <= AGREES_PX
        print(f"{name}: largest difference from the golden file {moved:.2g}")
    return good


if __name__ == "__main__":
    main()
