"""Compares what an oracle job made with the committed golden files, and with what fastpose makes of it.

    python -m tools.oracles.compare TOOL FOLDER    # TOOL: dlc, dlclive, dlc2, sleap or lp

FOLDER is what tools/oracles/TOOL.py filled. Prints a line a case and fails where the tool moved from its
golden file, or where fastpose's engine (fp32) is farther from the tool than 0.02 px or 1e-4 likelihood. For
dlc and dlclive the second question is asked by test_golden_dlc.py and test_dlclive_golden.py.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import numpy as np
from PIL import Image
from tools.oracles.frames import oracle_frames

from fastpose.assembly.network import NetworkOptions
from fastpose.errors import DeviceError
from fastpose.importing import Options, import_model
from fastpose.model import Model
from fastpose.model_package import read_model_package
from fastpose.verify import compare

GOLDEN = Path(__file__).resolve().parents[2] / "tests" / "python" / "golden"
LIMIT_PX, LIMIT_LIKELIHOOD = 0.02, 1e-4
MOVED_PX = 5e-2
"""Another machine's float arithmetic may move what the tool says by this much; boxes of detectors most."""

Poses = np.ndarray[Any, np.dtype[np.float32]]


@dataclass(frozen=True)
class Case:
    """A source that `fastpose import` reads, and the tool's answer beside it."""

    size: tuple[int, int]
    """Width and height of the frames, px."""
    channels: int
    source: str = "."
    """Within the case's folder."""
    answer: str = "keypoints"
    """Array of ``tool.npz``."""
    golden: str = "{}/tool.npz"


GREY, RGB = (Case((160, 128), channels, "export", "checkpoint") for channels in (1, 3))
SLEAP = {
    **dict.fromkeys(("single", "single_half", "topdown", "topdown_half", "bottomup", "bottomup_half"), GREY),
    **dict.fromkeys(("single_rgb", "topdown_rgb"), RGB),
}
LP = Case((128, 128), 3, "model", golden="{}.npz")
DLC2 = Case((160, 120), 3)
CASES: dict[str, dict[str, Case]] = {
    "sleap": SLEAP,
    "lp": {"heatmap": LP, "heatmap_3": LP, "context": LP},
    "dlc2": {"maps": DLC2, "pose": DLC2},
}


def main() -> int:
    """Compare everything that the folder holds."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("tool", choices=("dlc", "dlclive", *CASES))
    parser.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    cases = CASES.get(arguments.tool)
    if cases is None:
        return report_arrays(arguments.tool, arguments.folder)
    print(
        f"{'case':16}{'golden px':>11}{'fp32 px':>11}{'likelihood':>12}{'bf16 mean px':>14}{'keypoints':>11}"
    )
    good = [report(arguments.tool, name, case, arguments.folder / name) for name, case in cases.items()]
    return int(not all(good))


def report(tool: str, name: str, case: Case, folder: Path) -> bool:
    """Print one case; whether it is within the limits."""
    answer = np.load(folder / "tool.npz")[case.answer]
    answer = answer.astype(np.float32).reshape(len(answer), -1, *answer.shape[-2:])
    file = GOLDEN / tool / case.golden.format(name)
    moved = between(np.load(file)[case.answer].reshape(answer.shape), answer) if file.is_file() else None
    single, half = ours(folder / case.source, case, answer)
    print(
        f"{name:16}{'-' if moved is None else f'{moved:.2e}':>11}{single['max_px']:>11.2e}"
        f"{single['max_likelihood']:>12.1e}{half:>14}{single['keypoints']:>11}"
    )
    exact = single["max_px"] <= LIMIT_PX and single["max_likelihood"] <= LIMIT_LIKELIHOOD
    return exact and not single["missed"] and single["keypoints"] > 0 and (moved or 0) <= MOVED_PX


def ours(source: Path, case: Case, answer: Poses) -> tuple[dict[str, Any], str]:
    """Import the source and run its package on the frames: fp32 against the tool; mean px of bf16."""
    frames = oracle_frames(case.size, case.channels)
    with TemporaryDirectory() as name:
        for index, frame in enumerate(frames):
            Image.fromarray(frame).save(Path(name) / f"{index}.png")
        options = Options(frames=Path(name), individuals=answer.shape[1])
        import_model(source, Path(name) / "package", options)
        none = np.zeros(answer.shape[:3], bool)
        single = compare(estimates(Path(name) / "package", frames, "fp32"), answer, none)
        try:
            half = compare(estimates(Path(name) / "package", frames, "bf16"), answer, none)
        except DeviceError:
            return single, "not here"
    return single, f"{half['mean_px']:.3f}"


def estimates(package: Path, frames: Any, precision: Literal["fp32", "bf16"]) -> Poses:
    """Poses (n, individuals, K, 3) of the engine."""
    model = Model(read_model_package(package), NetworkOptions("cpu", precision, emulated=True))
    poses = np.stack([model.estimate(frame).keypoints for frame in frames])
    return poses.reshape(len(frames), -1, *poses.shape[-2:])


def between(first: Any, second: Any) -> float:
    """Largest difference; infinite where one has a number and the other none."""
    first, second = np.asarray(first, float), np.asarray(second, float)
    if first.shape != second.shape or (np.isnan(first) != np.isnan(second)).any():
        return float("inf")
    return float(np.nanmax(np.abs(first - second), initial=0))


def report_arrays(tool: str, folder: Path) -> int:
    """Print by how much the arrays of each golden file moved; arrays that are no answers are left out."""
    worst, found = 0.0, sorted(folder.glob("*.npz"))
    for file in found:
        new, old = (np.load(each) for each in (file, GOLDEN / tool / file.name))
        answers = [key for key in new.files if key.split(".")[-1] in ("poses", "boxes", "unique_poses")]
        moved = {key: between(new[key], old[key]) for key in answers}
        worst = max(worst, *moved.values())
        for key, value in moved.items():
            print(f"{file.stem:38}{key:24}{value:.2e} px from the golden file")
    return int(not found or worst > MOVED_PX)


if __name__ == "__main__":
    sys.exit(main())
