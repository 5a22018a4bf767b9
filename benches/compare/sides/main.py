"""One side of the comparison, in the environment of its tool: does what its pipe asks for.

Needs NumPy alone; ``python main.py SIDE`` loads SIDE.py beside it. A line of JSON in, a line of JSON out:

    {"open": {...}}              # what SIDE.py asks for, and "frames": FILE.npy: {"about": {...}}
    {"poses": n}                 # of the first n frames: (n, K, 3) x, y px, likelihood
    {"run": n, "what": "pose"}   # n frames one after the other: {"ns": [...], "cpu_ns": of the whole process}
    {"memory": true}             # {"peak_kb": most that was resident}
    {"make": {...}}              # weights, by a tool that makes its own

What cannot be done is answered by {"error": text}. ``what`` is "pose", from the frame to keypoints, or
"network", from a tensor that is ready to the maps. Frames come forth and back again, so that an animal never
jumps.
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent


def by_path(path: Path) -> ModuleType:
    """Load a file as a module, without the package around it."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


def forth_and_back(count: int) -> Iterator[int]:
    """0, 1, ..., count - 1, count - 2, ..., 1, 0, 1, ..."""
    while True:
        yield from range(count)
        yield from range(count - 2, 0, -1)


class Pipe:
    """Answers the lines that the bench sends."""

    def __init__(self, side: str) -> None:
        self._module = by_path(HERE / f"{side}.py")
        self._tool: Any = None
        self._frames: list[Any] = []
        self._order: Iterator[int] = iter(())

    def answer(self, asked: dict[str, Any]) -> Any:
        """Do what a line asks for; an error is an answer too."""
        try:
            (what, value), *more = asked.items()
            return getattr(self, f"_{what}")(value, **dict(more))
        except Exception as error:
            traceback.print_exc()
            return {"error": " ".join(f"{type(error).__name__}: {error}".split())[:300]}

    def _make(self, options: dict[str, Any]) -> Any:
        return self._module.make(**options)

    def _open(self, options: dict[str, Any]) -> Any:
        self._frames = list(np.load(options.pop("frames")))
        self._order = forth_and_back(len(self._frames))
        started = time.perf_counter()
        self._tool = self._module.Tool(self._frames[0], **options)
        return {"about": {"open_s": round(time.perf_counter() - started, 2), **self._tool.about()}}

    def _poses(self, count: int) -> Any:
        poses = [np.asarray(self._tool.pose(frame), np.float64) for frame in self._frames[:count]]
        return [pose.reshape(-1, 3).tolist() for pose in poses]

    def _run(self, count: int, what: str) -> Any:
        act: Callable[[], object] = self._next_pose if what == "pose" else self._tool.network
        act()  # what slept while others ran wakes up
        before_ns = time.process_time_ns()
        ns = [_timed(act) for _ in range(count)]
        return {"ns": ns, "cpu_ns": time.process_time_ns() - before_ns, "about": self._tool.about()}

    def _next_pose(self) -> object:
        return self._tool.pose(self._frames[next(self._order)])

    def _memory(self, _: bool) -> Any:
        with open("/proc/self/status", encoding="utf-8") as lines:  # noqa: PTH123
            peak = next(line for line in lines if line.startswith("VmHWM"))
        return {"peak_kb": int(peak.split()[1])}


def _timed(act: Callable[[], object]) -> int:
    start_ns = time.perf_counter_ns()
    act()
    return time.perf_counter_ns() - start_ns


def main() -> None:
    """Answer until the pipe is closed; nothing else may write to it."""
    pipe = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    side = Pipe(sys.argv[1])
    for line in sys.stdin:
        print(json.dumps(side.answer(json.loads(line))), file=pipe, flush=True)


if __name__ == "__main__":
    main()
