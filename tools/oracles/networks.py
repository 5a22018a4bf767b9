"""Imports every network of the DeepLabCut oracle and holds the engine against DeepLabCut's own poses.

    python -m tools.oracles.networks [--only NAME ...] [--branch-gain GAIN] [--markdown FILE]

The networks have the oracle's weights, made again from their seed; DeepLabCut's poses are the golden files.
Prints a line a network: seconds of the import, largest distance in px and difference of likelihoods at
fp32, mean distance at bf16 (emulated by the runtime where this CPU has it not) and at fp16 (emulated node by
node, `tools.oracles.half`), and how many keypoints were ties. At bf16 and fp16 keypoints that moved by more
than half a cell have another highest cell: they are left out of the mean and counted behind it. Fails where
fp32 is farther than 0.02 px or 1e-4 likelihood. With --branch-gain the weights are calmer, as trained ones
are, and all is measured against our own fp32. A top-down
network sees the oracle's crops as whole frames.
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import numpy as np
import torch
from PIL import Image
from tools.oracles.half import half_poses

from fastpose.assembly.network import NetworkOptions
from fastpose.errors import DeviceError
from fastpose.importing import Options
from fastpose.importing.detect import detect
from fastpose.importing.dlc3_top_down import FILE
from fastpose.importing.imported import Imported
from fastpose.importing.networks.table import DETECTORS
from fastpose.importing.write import write_package
from fastpose.model import Model
from fastpose.model_package import read_model_package
from fastpose.verify import compare

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests" / "python"))
from dlc_golden import GOLDEN, MAX_LIKELIHOOD, MAX_PX, Golden, golden, network_of

HEAD = (
    *("network", "import s", "fp32 max px", "fp32 max likelihood", "bf16 mean px", "fp16 mean px"),
    *("keypoints", "ties"),
)
HALF_CELL_PX = 4.0
"""At stride 8; at HRNet's 4 a whole one."""
SKIPPED = ("ssdlite", "fasterrcnn", "resnet_50_unique")  # the last one has a test of its own

Poses = np.ndarray[Any, np.dtype[np.float32]]


def main() -> int:
    """Measure, print, and write the table; 1 if a network is over its limit."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--only", nargs="+", help="names of golden files")
    parser.add_argument("--branch-gain", type=float, help="other than the oracle's: see seed_pose_model")
    parser.add_argument("--markdown", type=Path, help="write the table there")
    arguments = parser.parse_args()
    asked = arguments.only or sorted(path.stem for path in GOLDEN.glob("*.npz"))
    names = [name for name in asked if not name.startswith(SKIPPED)]
    rows = [measured(name, arguments.branch_gain) for name in names]
    if arguments.markdown is not None:
        arguments.markdown.write_text(markdown(rows), encoding="utf-8")
    return int(not all(row[-1] for row in rows))


def measured(name: str, branch_gain: float | None = None) -> tuple[str, ...]:
    """One line of the table; the last item is empty where the network is over its limit."""
    told = golden(name)
    if branch_gain is not None:
        told.case["branch_gain"] = branch_gain
    with TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        seconds = imported(told, Path(folder))
        with np.load(Path(folder) / "package" / "reference.npz") as reference:
            ties = reference["ties"]
        package = Path(folder) / "package"
        found = estimates(package, told, "fp32")
        expected = told.poses.astype(np.float32) if branch_gain is None else found
        single = compare(found, expected, ties)
        fp16 = half_poses(read_model_package(package), told.seen)
        halves = [half_text(bf16_poses(package, told), expected, ties), half_text(fp16, expected, ties)]
    near = single["max_px"] <= MAX_PX and single["max_likelihood"] <= MAX_LIKELIHOOD
    good = near and not single["missed"]
    numbers = (f"{single['max_px']:.1e}", f"{single['max_likelihood']:.1e}", *halves)
    row = (name, f"{seconds:.0f}", *numbers, str(single["keypoints"]), str(single["ties"]))
    print("  ".join(f"{cell:>20}" for cell in row), "" if good else "OVER", flush=True)
    return (*row, "yes" if good else "")


def bf16_poses(package: Path, told: Golden) -> Poses | None:
    """Those of the engine; None where the runtime cannot even emulate it."""
    try:
        return estimates(package, told, "bf16")
    except DeviceError:
        return None


def half_text(found: Poses | None, expected: Poses, ties: np.ndarray[Any, Any]) -> str:
    """Mean distance in px of the keypoints that stayed in their cells, and in brackets how many did not."""
    if found is None:
        return "not here"
    distance = np.linalg.norm(found[..., :2] - expected[..., :2], axis=-1)
    jumped = np.nan_to_num(distance) > HALF_CELL_PX
    cell = compare(found, expected, ties | jumped)
    return f"{cell['mean_px']:.3f} ({int((jumped & ~ties).sum())})"


def imported(told: Golden, folder: Path) -> float:
    """Write an export with the oracle's weights and import it; returns seconds."""
    frames = folder / "frames"
    frames.mkdir()
    for index, frame in enumerate(told.seen):
        Image.fromarray(frame).save(frames / f"{index:03}.png")
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


def estimates(package: Path, told: Golden, precision: Literal["fp32", "bf16"]) -> Poses:
    """Poses (n, individuals, K, 3) of the engine."""
    model = Model(read_model_package(package), NetworkOptions("cpu", precision, emulated=True))
    poses = np.stack([model.estimate(frame).keypoints for frame in told.seen])
    return poses.reshape(len(poses), -1, *poses.shape[-2:])


def markdown(rows: list[tuple[str, ...]]) -> str:
    """The table."""
    lines = [HEAD, tuple("---" for _ in HEAD), *(row[:-1] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


if __name__ == "__main__":
    sys.exit(main())
