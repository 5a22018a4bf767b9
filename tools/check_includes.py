"""Checks that #include in csrc/ runs one way: base <- {frame, pose, latency} <- stages <- engine.

Stages never include each other, and no file there knows Python.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

FOUNDATION = {"base"}
COMMON = {"cuda", "frame", "pose", "latency"}
STAGES = {"camera", "preprocess", "infer", "decode", "filter", "rule", "output", "protocol", "record"}
INCLUDE = re.compile(r'^\s*#\s*include\s+"([a-z_]+)/', re.MULTILINE)
PYTHON = re.compile(r'^\s*#\s*include\s+[<"](Python\.h|pybind11/)', re.MULTILINE)


def allowed(folder: str) -> set[str]:
    """Return the folders that files of `folder` may include."""
    if folder in FOUNDATION:
        return FOUNDATION
    if folder in COMMON:
        return FOUNDATION | COMMON
    if folder in STAGES:
        return FOUNDATION | COMMON | {folder}
    return FOUNDATION | COMMON | STAGES | {"engine"}


def problems(root: Path) -> list[str]:
    """Return one line for each include that runs the wrong way."""
    found = []
    for path in sorted(root.rglob("*")):
        if path.suffix not in (".h", ".cpp", ".cu", ".cuh"):
            continue
        folder = path.relative_to(root).parts[0]
        text = path.read_text(encoding="utf-8")
        wrong = {name for name in INCLUDE.findall(text) if name not in allowed(folder)}
        found += [f"{path}: {folder}/ may not include {name}/" for name in sorted(wrong)]
        if PYTHON.search(text):
            found.append(f"{path}: the engine knows no Python")
    return found


def main() -> int:
    lines = problems(Path(__file__).resolve().parents[1] / "csrc")
    print("\n".join(lines) or "includes run one way")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
