"""Trains on 116 labelled frames of an open field: `python -m tools.train.openfield --split random:0`."""

from __future__ import annotations

import argparse
import csv
import dataclasses
import json
import os
import time
from pathlib import Path

import cv2
import numpy as np
import torch

from .augment import Augmentation, Frame, Points
from .fit import Recipe, Source, predict, train
from .network import PoseNet, with_bodyparts
from .simulated import BODYPARTS as SIMULATED_BODYPARTS

BODYPARTS = ("snout", "leftear", "rightear", "tailbase")
SKELETON = (("snout", "leftear"), ("snout", "rightear"), ("leftear", "tailbase"), ("rightear", "tailbase"))
PROJECT = "openfield-Pranav-2018-10-30"
# Milder than the default: the annotator's habits depend on the animal's side and heading, and many of the
# crops keep both.
AUGMENTATION = Augmentation(
    size_px=224,
    background=0.1,
    free_rotation=0.5,
    scale=(0.85, 1.2),
    flip=0.3,
    flip_pairs=((1, 2),),
    contrast=(0.7, 1.3),
    brightness=30.0,
    gradient=25.0,
    gamma_log_sd=0.2,
    noise=6.0,
    motion_blur=0.1,
    cutout=0.1,
)
RECIPE = Recipe(steps=1200, learning_rate=3e-3)


def data_directory() -> Path:
    """The folder of recordings: FASTPOSE_DATA, or ../shared/data beside the repository."""
    default = Path(__file__).resolve().parents[3] / "shared" / "data"
    return Path(os.environ.get("FASTPOSE_DATA", default)) / PROJECT


def load(directory: Path) -> tuple[list[Frame], Points]:
    """Labelled frames (480, 640) in the order of the file, and keypoints (N, 4, 2) in px."""
    with (directory / "labeled-data" / "m4s1" / "CollectedData_Pranav.csv").open() as file:
        rows = list(csv.reader(file))[3:]
    frames = [cv2.imread(str(directory / row[0]), cv2.IMREAD_GRAYSCALE) for row in rows]
    if any(frame is None for frame in frames):
        raise FileNotFoundError(f"{directory}: a labelled frame named in the CSV is missing or unreadable")
    keypoints = np.array([row[1:] for row in rows], dtype=np.float32).reshape(len(rows), -1, 2)
    return [np.asarray(frame, dtype=np.uint8) for frame in frames], keypoints


def split(name: str, count: int) -> tuple[list[int], list[int]]:
    """Frames to train and to test on: `random:SEED` tests a tenth, `blocked:I` the I-th fifth in time."""
    kind, _, number = name.partition(":")
    if kind == "random":
        order = np.random.default_rng(int(number)).permutation(count)
        test = order[: round(count / 10)]
    elif kind == "blocked":
        test = np.array_split(np.arange(count), 5)[int(number)]
    elif kind == "all":
        test = np.array([], dtype=int)
    else:
        raise ValueError(f"split {name!r}: expected random:SEED, blocked:0..4 or all")
    chosen = sorted(int(i) for i in test)
    return [i for i in range(count) if i not in chosen], chosen


def draw_from(frames: list[Frame], keypoints: Points) -> Source:
    """A source that draws one of the frames."""

    def draw(rng: np.random.Generator) -> tuple[Frame, Points]:
        index = int(rng.integers(len(frames)))
        return frames[index], keypoints[index]

    return draw


def errors_px(network: PoseNet, frames: list[Frame], keypoints: Points) -> Points:
    """Euclidean distance (N, K) between label and network on whole frames."""
    found = np.stack([predict(network, frame)[:, :2] for frame in frames])
    return np.asarray(np.linalg.norm(found - keypoints, axis=2), dtype=np.float32)


def report(errors: Points) -> dict[str, object]:
    """Mean, median, p95 and maximum of errors (N, K) in px, and the mean of each bodypart."""
    return {
        "frames": len(errors),
        "mean_px": round(float(errors.mean()), 3),
        "median_px": round(float(np.median(errors)), 3),
        "p95_px": round(float(np.percentile(errors, 95)), 3),
        "max_px": round(float(errors.max()), 3),
        "mean_px_by_bodypart": dict(zip(BODYPARTS, errors.mean(axis=0).round(3).tolist(), strict=True)),
    }


def start_from(path: Path) -> dict[str, torch.Tensor]:
    """The weights that `tools.train.simulated` wrote, with the bodyparts that both data sets have."""
    weights = torch.load(path, weights_only=True)
    return with_bodyparts(weights, [SIMULATED_BODYPARTS.index(name) for name in BODYPARTS])


def run(name: str, output: Path, recipe: Recipe, start: Path | None) -> dict[str, object]:
    """Train on one split, save `<output>/<split>.pt` and `.json`, and return what the JSON holds."""
    frames, keypoints = load(data_directory())
    training, test = split(name, len(frames))
    began = time.monotonic()
    source = draw_from([frames[i] for i in training], keypoints[training])
    network = train(
        source,
        len(BODYPARTS),
        AUGMENTATION,
        recipe,
        start=start_from(start) if start else None,
        say=lambda line: print(line, flush=True),
    )
    result: dict[str, object] = {
        "split": name,
        "minutes": round((time.monotonic() - began) / 60, 1),
        "cpu_minutes": round(time.process_time() / 60, 1),
        "steps": recipe.steps,
        "start": "simulated" if start else "random",
        "train": report(errors_px(network, [frames[i] for i in training], keypoints[training])),
        "test": report(errors_px(network, [frames[i] for i in test], keypoints[test])) if test else None,
    }
    output.mkdir(parents=True, exist_ok=True)
    stem = name.replace(":", "_")
    torch.save(network.state_dict(), output / f"{stem}.pt")
    (output / f"{stem}.json").write_text(json.dumps(result, indent=1) + "\n")
    return result


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--split", default="random:0", help="random:SEED, blocked:0..4 or all")
    parser.add_argument("--start", type=Path, help="network.pt of tools.train.simulated to go on from")
    parser.add_argument("--output", type=Path, default=Path("/tmp/fastpose-train/openfield"))
    parser.add_argument("--steps", type=int, default=RECIPE.steps)
    parser.add_argument("--batch", type=int, default=RECIPE.batch)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    recipe = dataclasses.replace(RECIPE, steps=options.steps, batch=options.batch, seed=options.seed)
    print(json.dumps(run(options.split, options.output, recipe, options.start), indent=1))


if __name__ == "__main__":
    main()
