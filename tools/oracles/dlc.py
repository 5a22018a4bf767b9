"""Asks DeepLabCut itself: builds its networks with seeded weights, runs its own inference, keeps the poses.

Runs in an environment that holds DeepLabCut 3 (`nox -s oracle_dlc` makes one) and imports nothing of ours but
two files without dependencies, by their paths.

    python tools/oracles/dlc.py FOLDER [--only NAME ...]      # writes FOLDER/<case>.npz
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import json
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

HERE = Path(__file__).resolve().parent
SAMPLES = 48
"""Values kept of every map."""


def by_path(path: Path) -> ModuleType:
    """Load a file as a module, without the package around it."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


cases = by_path(HERE / "dlc_cases.py")
seeded = by_path(HERE.parents[1] / "python" / "fastpose" / "importing" / "seeded.py")


def main() -> None:
    """Write the golden files that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", nargs="*", choices=tuple(cases.CASES), default=tuple(cases.CASES))
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    for name in arguments.only:
        started = time.monotonic()
        arrays = golden(cases.CASES[name])
        np.savez_compressed(arguments.folder / f"{name}.npz", allow_pickle=False, **arrays)
        print(f"{name}: {time.monotonic() - started:.1f} s", flush=True)


def golden(case: dict[str, Any]) -> dict[str, npt.NDArray[Any]]:
    """What DeepLabCut says in one case: arrays of the golden file."""
    frames = seeded.seeded_frames(case["count"], case["height"], case["width"], cases.SEED)
    config = pose_config(case)
    answer = detections(config, frames) if "detector" in case else poses(config, case, frames)
    return answer | {
        "frames_sha256": np.array(hashlib.sha256(frames.tobytes()).hexdigest()),
        "config": np.array(json.dumps(config.to_dict(), default=str, sort_keys=True)),
        "versions": np.array(json.dumps(versions())),
    }


def versions() -> dict[str, str]:
    """Of the tool and of what it computes with."""
    from importlib.metadata import version

    return {name: version(name) for name in ("deeplabcut", "torch", "torchvision", "timm", "numpy")}


def project(case: dict[str, Any]) -> dict[str, Any]:
    """A DeepLabCut project's config.yaml."""
    common = {"Task": "oracle", "scorer": "seed", "date": "Nov21", "skeleton": [], "project_path": "/project"}
    if not case.get("paf"):
        return common | {"multianimalproject": False, "bodyparts": list(cases.BODYPARTS)}
    return common | {
        "multianimalproject": True,
        "bodyparts": "MULTI!",
        "multianimalbodyparts": list(cases.BODYPARTS),
        "uniquebodyparts": list(case.get("unique", ())),
        "individuals": list(cases.INDIVIDUALS),
        "identity": False,
    }


def pose_config(case: dict[str, Any]) -> Any:
    """DeepLabCut's own configuration of a case, changed only where the case says so."""
    from deeplabcut.pose_estimation_pytorch.config import PoseConfig

    config = PoseConfig.build(
        project(case),
        "/project/pytorch_config.yaml",
        net_type=case["net"],
        top_down="crop" in case,
        detector_type=case.get("detector"),
    )
    head = config["model"]["heads"]["bodypart"]
    if not case.get("locref", True):
        head["locref_config"] = None
        head["predictor"]["location_refinement"] = False
        head["target_generator"]["generate_locref"] = False
        del head["criterion"]["locref"]
    if case.get("sigmoid"):
        head["predictor"]["apply_sigmoid"] = True
    if "crop" in case:  # its generator crops 256 px also where rtmpose_x wants 384, and then cannot run it
        config["data"]["inference"]["top_down_crop"] = {"width": case["crop"], "height": case["crop"]}
    return config


def poses(config: Any, case: dict[str, Any], frames: npt.NDArray[np.uint8]) -> dict[str, npt.NDArray[Any]]:
    """Poses by DeepLabCut's inference runner, the margin of each argmax and samples of the maps."""
    from deeplabcut.pose_estimation_pytorch.apis.utils import get_inference_runners
    from deeplabcut.pose_estimation_pytorch.models import PoseModel

    settling = seeded.seeded_frames(cases.SETTLING, *cases.seen_size(case), cases.SEED)
    model = PoseModel.build(config["model"])
    seeded.seed_pose_model(model, settling, cases.SEED, **cases.weights_of(case))
    with snapshot(model) as path:
        runner, _ = get_inference_runners(config, path, device="cpu", max_individuals=individuals(case))
        runner.inference_cfg.multithreading.enabled = False
        seen = watch(runner.model)
        images: Any = list(frames)
        if "crop" in case:
            images = [(frame, {"bboxes": np.array(cases.boxes(case), np.float32)}) for frame in frames]
        answers = runner.inference(images)
    return (
        {"poses": np.stack([answer["bodyparts"] for answer in answers]).astype(np.float32)}
        | unique(answers)
        | maps_of(seen)
        | {"names": np.array(names(model))}
    )


def individuals(case: dict[str, Any]) -> int:
    """Animals in a pose."""
    if "crop" in case:
        return len(cases.boxes(case))
    return len(cases.INDIVIDUALS) if case.get("paf") else 1


def unique(answers: list[dict[str, Any]]) -> dict[str, npt.NDArray[Any]]:
    """Poses of unique body parts, where there are any."""
    if "unique_bodyparts" not in answers[0]:
        return {}
    return {"unique_poses": np.stack([answer["unique_bodyparts"] for answer in answers]).astype(np.float32)}


@contextmanager
def snapshot(model: Any) -> Iterator[str]:
    """A file as DeepLabCut's training writes it."""
    import torch

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "snapshot-200.pt"
        torch.save({"metadata": {"epoch": 200}, "model": model.state_dict()}, path)
        yield str(path)


def names(model: Any) -> str:
    """Digest over the names and shapes of a state dict."""
    lines = sorted(f"{name} {tuple(tensor.shape)}" for name, tensor in model.state_dict().items())
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def watch(model: Any) -> list[dict[str, dict[str, Any]]]:
    """Keep what a model gives, pass by pass."""
    seen: list[dict[str, dict[str, Any]]] = []
    model.register_forward_hook(lambda _model, _inputs, outputs: seen.append(outputs))
    return seen


def maps_of(seen: list[dict[str, dict[str, Any]]]) -> dict[str, npt.NDArray[Any]]:
    """Shape and samples of each map of the first pass; margin of each maximum, per pass."""
    arrays: dict[str, npt.NDArray[Any]] = {}
    for head, maps in seen[0].items():
        for kind, tensor in maps.items():
            arrays[f"shape.{head}.{kind}"] = np.array(tensor.shape)
            arrays[f"samples.{head}.{kind}"] = samples(tensor.numpy())
    for kind in ("heatmap", "x", "y"):
        margins = [margin(outputs["bodypart"][kind]) for outputs in seen if kind in outputs["bodypart"]]
        if margins:
            arrays[f"margin.{kind}"] = np.concatenate(margins)
    return arrays


def samples(values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Values at places spread over a map of the first frame."""
    flat = values[0].ravel()
    return np.asarray(flat[np.linspace(0, flat.size - 1, SAMPLES).astype(int)], np.float32)


def margin(tensor: Any) -> npt.NDArray[np.float32]:
    """By how much the largest value beats the second: (n, K)."""
    flat = tensor.flatten(2) if tensor.ndim == 4 else tensor
    best = flat.topk(2, dim=2).values
    return np.asarray((best[..., 0] - best[..., 1]).numpy(), np.float32)


def detections(config: Any, frames: npt.NDArray[np.uint8]) -> dict[str, npt.NDArray[Any]]:
    """Boxes (n, 10, 4) x, y, width, height, and scores (n, 10) by DeepLabCut's detector runner; NaN: none."""
    from deeplabcut.pose_estimation_pytorch.apis.utils import get_detector_inference_runner
    from deeplabcut.pose_estimation_pytorch.models.detectors import DETECTORS

    settling = seeded.seeded_frames(cases.SETTLING, *frames.shape[1:3], cases.SEED)
    with no_downloads():
        model = DETECTORS.build(dict(config["detector"]["model"]))
        seeded.seed_detector(model, settling, cases.SEED)
        with snapshot(model) as path:
            runner = get_detector_inference_runner(config, path, device="cpu", max_individuals=10)
            runner.inference_cfg.multithreading.enabled = False
            answers = runner.inference(list(frames))
    boxes = np.full((len(frames), 10, 4), np.nan, np.float32)
    scores = np.full((len(frames), 10), np.nan, np.float32)
    for row, answer in enumerate(answers):
        count = len(answer["bbox_scores"])
        boxes[row, :count], scores[row, :count] = answer["bboxes"], answer["bbox_scores"]
    return {"boxes": boxes, "scores": scores, "names": np.array(names(model))}


@contextmanager
def no_downloads() -> Iterator[None]:
    """Detectors ask for pre-trained backbones although every weight is loaded afterwards: give none."""
    from torch import nn
    from torchvision.models._api import WeightsEnum

    load, get = nn.Module.load_state_dict, WeightsEnum.get_state_dict

    def load_unless_empty(self: Any, state: Any, *args: Any, **kwargs: Any) -> Any:
        return load(self, state, *args, **kwargs) if state else None

    nn.Module.load_state_dict = load_unless_empty
    WeightsEnum.get_state_dict = lambda self, *args, **kwargs: {}
    try:
        yield
    finally:
        nn.Module.load_state_dict, WeightsEnum.get_state_dict = load, get


if __name__ == "__main__":
    main()
