"""Measures packages again through OpenVINO on whole frames: `python -m tools.train.evaluate simulated`."""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from . import openfield, simulated, watch
from .augment import Points
from .network import PoseNet, export_onnx
from .package import OnnxPose

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = {
    "simulated": ROOT / "python" / "fastpose" / "models" / "simulated_mouse",
    "openfield": ROOT / "models" / "openfield",
}


def summary(errors: Points) -> dict[str, Any]:
    """Count, mean, median, p95 and maximum of errors in px."""
    return {
        "keypoints": errors.size,
        "mean_px": round(float(errors.mean()), 3),
        "median_px": round(float(np.median(errors)), 3),
        "p95_px": round(float(np.percentile(errors, 95)), 3),
        "max_px": round(float(errors.max()), 2),
    }


def on_simulated(onnx: Path, frames: int = 2000) -> dict[str, Any]:
    """Errors on unseen frames of the simulated camera at its default settings, for all and for each shape."""
    model = OnnxPose(onnx, 480, 640, threads=2)
    errors, likelihood = [], []
    for frame, truth, _ in simulated.unseen(frames):
        pose = model.estimate(frame)
        errors.append(np.linalg.norm(pose[:, :2] - truth, axis=1))
        likelihood.append(pose[:, 2])
    stacked, shapes = np.stack(errors), len(simulated.SHAPES)
    shape_of = np.arange(len(stacked)) // (frames // simulated.UNSEEN_SEEDS) % shapes
    return {
        "frames": len(stacked),
        "all": summary(stacked),
        "by_shape": {name: summary(stacked[shape_of == i]) for i, name in enumerate(simulated.SHAPES)},
        "median_px_by_bodypart": dict(
            zip(simulated.BODYPARTS, np.median(stacked, axis=0).round(3).tolist(), strict=True)
        ),
        "likelihood_p5": round(float(np.percentile(np.stack(likelihood), 5)), 3),
    }


def on_split(onnx: Path, name: str) -> dict[str, Any]:
    """Errors on the test frames of one split of the openfield data (on all frames for the split `all`)."""
    frames, keypoints = openfield.load(openfield.data_directory())
    _, test = openfield.split(name, len(frames))
    chosen = test or list(range(len(frames)))
    model = OnnxPose(onnx, 480, 640, threads=2)
    found = np.stack([model.estimate(frames[i])[:, :2] for i in chosen])
    errors = np.linalg.norm(found - keypoints[chosen], axis=2)
    return {"split": name, "frames": len(chosen), "on": "test" if test else "training", **summary(errors)}


def on_weights(folder: Path) -> list[dict[str, Any]]:
    """`on_split` of every network that the training tool saved in a folder."""
    results = []
    for path in sorted(folder.glob("*.pt")):
        network = PoseNet(len(openfield.BODYPARTS))
        network.load_state_dict(torch.load(path, weights_only=True))
        with tempfile.TemporaryDirectory() as temporary:
            onnx = Path(temporary) / "model.onnx"
            export_onnx(network, onnx)
            results.append(on_split(onnx, path.stem.replace("_", ":")))
    return results


def on_video(onnx: Path, sheet: Path | None = None) -> dict[str, Any]:
    """What no animal can do, counted over the unlabelled video; `sheet` gets every 100th frame drawn."""
    frames = watch.read_grey(openfield.data_directory() / "videos" / "m3v1mp4.mp4")
    model = OnnxPose(onnx, *frames.shape[1:], threads=2)
    poses = watch.follow(model.estimate, frames)
    if sheet is not None:
        cv2.imwrite(str(sheet), watch.sheet(frames, poses, list(range(0, len(frames), 100))))
    return watch.plausibility(poses)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["simulated", "openfield"])
    parser.add_argument("--package", type=Path, help="model package; default: the shipped one")
    parser.add_argument("--frames", type=int, default=2000, help="simulated frames")
    parser.add_argument("--weights", type=Path, help="folder of openfield splits to test as well")
    parser.add_argument("--sheet", type=Path, help="PNG to write: sampled frames of the openfield video")
    options = parser.parse_args()
    onnx = (options.package or PACKAGES[options.what]) / "model.onnx"
    if options.what == "simulated":
        result: dict[str, Any] = on_simulated(onnx, options.frames)
    else:
        result = {"labelled": on_split(onnx, "all"), "video": on_video(onnx, options.sheet)}
        if options.weights:
            result["splits"] = on_weights(options.weights)
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
