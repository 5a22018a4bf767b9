"""Compares what `fastpose import` makes of the other tools' exports with those tools' own answers.

    python tools/oracles/compare.py FOLDER    # as tools/oracles/sleap.py, lp.py and dlc2.py filled it

Prints source, largest distance (px), largest difference of the likelihood; fails over 0.02 px or 1e-4.
"""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from PIL import Image
from tools.oracles.frames import oracle_frames

from fastpose.importing.detect import detect
from fastpose.importing.imported import Options

LIMIT_PX, LIMIT_LIKELIHOOD = 0.02, 1e-4
Poses = np.ndarray[Any, np.dtype[np.float32]]

CASES = {  # folder of the source: size of the frames, channels, which answer of the tool
    "single/export": ((160, 128), 1, "checkpoint"),
    "single_rgb/export": ((160, 128), 3, "checkpoint"),
    "heatmap/model": ((128, 128), 3, "keypoints"),
    "heatmap_3/model": ((128, 128), 3, "keypoints"),
    "maps": ((160, 120), 3, "keypoints"),
    "pose": ((160, 120), 3, "keypoints"),
}


def ours(source: Path, size: tuple[int, int], channels: int) -> Poses:
    """Poses (n, individuals, K, 3) that an import makes its reference of."""
    with TemporaryDirectory() as name:
        for index, frame in enumerate(oracle_frames(size, channels)):
            Image.fromarray(frame).save(Path(name) / f"{index}.png")
        return detect(source).read(source, Options(frames=Path(name))).reference.poses


def difference(found: Poses, tool: Poses) -> tuple[float, float]:
    """Largest distance in px and largest difference of the likelihood; infinite where one is missing."""
    tool = tool.reshape(found.shape)
    if (np.isnan(found[..., 0]) != np.isnan(tool[..., 0])).any():
        return np.inf, np.inf
    distance = np.linalg.norm(found[..., :2] - tool[..., :2], axis=-1)
    return float(np.nanmax(distance)), float(np.abs(found[..., 2] - tool[..., 2]).max())


def main() -> int:
    """Compare every case that the folder holds."""
    folder, worst = Path(sys.argv[1]), 0.0
    for name, (size, channels, key) in CASES.items():
        source = folder / name
        if not source.is_dir():
            continue
        answers = source if (source / "tool.npz").is_file() else source.parent
        px, likelihood = difference(ours(source, size, channels), np.load(answers / "tool.npz")[key])
        print(f"{name:20} {px:.6f} px  {likelihood:.2e}")
        worst = max(worst, px / LIMIT_PX, likelihood / LIMIT_LIKELIHOOD)
    return int(not 0 < worst <= 1)


if __name__ == "__main__":
    sys.exit(main())
