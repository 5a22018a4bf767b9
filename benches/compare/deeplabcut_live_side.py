"""One side of the comparison with DeepLabCut-live: measures what its pipe asks for, in either environment.

Imports nothing of ours but a file without dependencies, by its path. A line of JSON in, a line of JSON out:

    {"write": NAME, "to": FILE, "config": {...}}   # the original alone: an export with seeded weights
    {"open": FILE, "options": {...}, "frames": {"width": 320, "height": 240, "grey": false}}
    {"run": n}                                     # n frames: their times in ns
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

SEED = 31
FRAMES = 16
SETTLING = (4, 160, 192)
WARM_UP = 3


def seeded() -> Any:
    """The file that gives both sides the same weights and frames."""
    path = Path(__file__).resolve().parents[2] / "python" / "fastpose" / "importing" / "seeded.py"
    spec = importlib.util.spec_from_file_location("seeded", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Side:
    """The DLCLive of one package."""

    def __init__(self, module: str) -> None:
        self._class = importlib.import_module(module).DLCLive
        self._live: Any = None
        self._frames: list[Any] = []
        self._next = 0

    def answer(self, asked: dict[str, Any]) -> Any:
        """Do what a line asks for."""
        if "write" in asked:
            return self._write(asked["to"], asked["config"])
        if "open" in asked:
            return self._open(asked["open"], asked["options"], **asked["frames"])
        return [self._timed() for _ in range(asked["run"])]

    def _write(self, path: str, config: dict[str, Any]) -> str:
        import torch
        from dlclive.pose_estimation_pytorch.models.model import PoseModel

        model = PoseModel.build(config["model"])
        seeded().seed_pose_model(model, seeded().seeded_frames(*SETTLING, SEED), SEED)
        torch.save({"config": config, "pose": model.state_dict(), "detector": None}, path)
        return path

    def _open(self, path: str, options: dict[str, Any], width: int, height: int, grey: bool) -> Any:
        rgb = seeded().seeded_frames(FRAMES, height, width, SEED)
        self._frames = [np.ascontiguousarray(each[:, :, 1] if grey else each[:, :, ::-1]) for each in rgb]
        self._live = self._class(path, model_type="pytorch", device="cpu", **options)
        self._live.init_inference(self._frames[0])
        self._next = 1
        poses = [self._pose() for _ in range(WARM_UP)]
        return [np.asarray(pose, np.float64).tolist() for pose in poses]

    def _pose(self) -> Any:
        frame = self._frames[self._next % FRAMES]
        self._next += 1
        return self._live.get_pose(frame)

    def _timed(self) -> int:
        start_ns = time.perf_counter_ns()
        self._pose()
        return time.perf_counter_ns() - start_ns


def main() -> None:
    """Answer until the pipe is closed; nothing else may write to it."""
    pipe = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    side = Side(sys.argv[1])
    for line in sys.stdin:
        print(json.dumps(side.answer(json.loads(line))), file=pipe, flush=True)


if __name__ == "__main__":
    main()
