"""Imports every network of the DeepLabCut oracle and holds the engine against DeepLabCut's own poses.

    python -m tools.oracles.networks [--only NAME ...] [--fp32] [--branch-gain GAIN] [--page FILE]

The networks have the oracle's weights, made again from their seed; DeepLabCut's poses are the golden files.
Prints a line a network: seconds of the import, largest distance in px and difference of likelihoods at
fp32 with its ties, then what bf16 and fp16 cost (`tools.oracles.precisions`; --fp32 leaves them out). Fails
where fp32 is farther than 0.02 px or 1e-4 likelihood, or bf16 or fp16 more than 0.2 px in the mean. With
--branch-gain the weights are calmer, as trained ones are, and all is measured against our own fp32. A
top-down network sees the oracle's crops as whole frames.
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from PIL import Image
from tools.oracles.dlc_cases import SEED
from tools.oracles.page import write_rows
from tools.oracles.precisions import COLUMNS, Told, columns, measured

from fastpose.assembly.network import NetworkOptions
from fastpose.importing import Options
from fastpose.importing.detect import detect
from fastpose.importing.dlc3_top_down import FILE
from fastpose.importing.imported import Imported
from fastpose.importing.networks.table import DETECTORS
from fastpose.importing.seeded import seeded_frames
from fastpose.importing.write import write_package
from fastpose.model import Model
from fastpose.model_package import read_model_package
from fastpose.verify import compare

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests" / "python"))
from dlc_golden import GOLDEN, MAX_LIKELIHOOD, MAX_PX, Golden, golden, network_of

HEAD = ("network", "import s", "fp32 max px", "fp32 max likelihood", "fp32 ties", *COLUMNS)
SKIPPED = ("ssdlite", "fasterrcnn", "resnet_50_unique")  # the last one has a test of its own

OPTIMISED_ON = 12
"""Frames of another seed than those that are measured."""

Poses = np.ndarray[Any, np.dtype[np.float32]]


def main() -> int:
    """Measure, print, and write the table; 1 if a network is over its limit."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--only", nargs="+", help="names of golden files")
    parser.add_argument("--fp32", action="store_true", help="no other precision")
    parser.add_argument("--branch-gain", type=float, help="other than the oracle's: see seed_pose_model")
    parser.add_argument("--page", type=Path, help="docs/reference/parity.md, whose rows are replaced")
    arguments = parser.parse_args()
    asked = arguments.only or sorted(path.stem for path in GOLDEN.glob("*.npz"))
    good = True
    for name in (name for name in asked if not name.startswith(SKIPPED)):
        row, within = line_of(name, arguments.branch_gain, others=not arguments.fp32)
        good = good and within
        if arguments.page is not None:
            write_rows(arguments.page, "deeplabcut3", HEAD, [row])
    return int(not good)


def line_of(name: str, branch_gain: float | None, *, others: bool) -> tuple[tuple[str, ...], bool]:
    """One line of the table, and whether it is within all limits."""
    told = golden(name)
    if branch_gain is not None:
        told.case["branch_gain"] = branch_gain
    with TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        seconds = imported(told, Path(folder))
        package = Path(folder) / "package"
        with np.load(package / "reference.npz") as reference:
            ties = reference["ties"]
        found = estimates(package, told)
        expected = told.poses.astype(np.float32) if branch_gain is None else found
        single = compare(found, expected, ties)
        asked = Told(told.seen, expected, ties)
        half = measured(package, asked, other_frames(told, Path(folder))) if others else None
    near = single["max_px"] <= MAX_PX and single["max_likelihood"] <= MAX_LIKELIHOOD
    good = near and not single["missed"] and (half is None or half.good)
    numbers = (f"{single['max_px']:.1e}", f"{single['max_likelihood']:.1e}", str(single["ties"]))
    rest = columns(half) if half else ("",) * (len(COLUMNS) - 1) + (str(single["keypoints"]),)
    row = (name, f"{seconds:.0f}", *numbers, *rest)
    print("  ".join(f"{cell:>12}" for cell in row), "" if good else "OVER", flush=True)
    return row, good


def other_frames(told: Golden, folder: Path) -> Path:
    """A folder of frames that are not those of the golden file."""
    height, width = told.seen.shape[1:3]
    return written(seeded_frames(OPTIMISED_ON, height, width, SEED + 1), folder / "others")


def written(frames: np.ndarray[Any, np.dtype[np.uint8]], folder: Path) -> Path:
    """Frames as PNG."""
    folder.mkdir()
    for index, frame in enumerate(frames):
        Image.fromarray(frame).save(folder / f"{index:03}.png")
    return folder


def imported(told: Golden, folder: Path) -> float:
    """Write an export with the oracle's weights and import it; returns seconds."""
    frames = written(told.seen, folder / "frames")
    top_down = "RTMCCHead" in str(told.config["model"])
    config = told.config if top_down else {**told.config, "method": "bu"}
    content = {"config": config, "pose": network_of(told).state_dict()}
    if top_down:
        content["detector"] = DETECTORS["SSDLite"]({}).state_dict()
    torch.save(content, folder / "network.pt")
    begin = time.monotonic()
    found = detect(folder / "network.pt").read(folder / "network.pt", Options(frames=frames))
    write_package(folder / "package", without_detector(found, told) if top_down else found)
    return time.monotonic() - begin


def without_detector(found: Imported, told: Golden) -> Imported:
    """The second half of a top-down package."""
    description = {key: value for key, value in found.description.items() if key != "detector"}
    description["input_size"] = [told.case["crop"]] * 2
    files = {name: content for name, content in found.files.items() if name != FILE}
    shape = told.poses.shape[:3]
    reference = replace(found.reference, poses=told.poses.astype(np.float32), ties=np.zeros(shape, bool))
    return replace(found, description=description, files=files, reference=reference)


def estimates(package: Path, told: Golden) -> Poses:
    """Poses (n, individuals, K, 3) of the engine at fp32."""
    model = Model(read_model_package(package), NetworkOptions("cpu", "fp32"))
    poses = np.stack([model.estimate(frame).keypoints for frame in told.seen])
    return poses.reshape(len(poses), -1, *poses.shape[-2:])


if __name__ == "__main__":
    sys.exit(main())
