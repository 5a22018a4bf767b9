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
TOP = {"engine"}
SUFFIXES = {".h", ".cpp", ".cu", ".cuh"}
INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^">]+)[">]', re.MULTILINE)


def allowed(folder: str) -> set[str]:
    """Return the folders that files of `folder` may include."""
    if folder in FOUNDATION:
        return FOUNDATION
    if folder in COMMON:
        return FOUNDATION | COMMON
    if folder in STAGES:
        return FOUNDATION | COMMON | {folder}
    return FOUNDATION | COMMON | STAGES | TOP


def problem(folder: str, quote: str, header: str) -> str | None:
    """Say in a line what is wrong with one include of a file in `folder`; None: nothing."""
    if header == "Python.h" or header.startswith("pybind11/"):
        return f"{header}: the engine knows no Python"
    target, slash, _ = header.partition("/")
    if quote == "<":
        ours = slash and target in FOUNDATION | COMMON | STAGES | TOP
        return f'<{header}>: our own headers stand in quotes: "{header}"' if ours else None
    if not slash or target.startswith("."):
        return f'"{header}": name it from csrc/ on, as in "base/clock.h"'
    return None if target in allowed(folder) else f"{folder}/ may not include {target}/"


def problems(root: Path) -> list[str]:
    """Return one line for each include under `root` that runs the wrong way."""
    found = []
    for path in sorted(p for p in root.rglob("*") if p.suffix in SUFFIXES):
        folder = path.relative_to(root).parts[0]
        if folder not in FOUNDATION | COMMON | STAGES | TOP:
            found.append(f"{path}: {folder} has no place in the order of includes; give it one in {__file__}")
            continue
        includes = INCLUDE.findall(path.read_text(encoding="utf-8"))
        told = dict.fromkeys(filter(None, (problem(folder, *include) for include in includes)))
        found += [f"{path}: {line}" for line in told]
    return found


def main() -> int:
    """Check csrc/ of this tree."""
    lines = problems(Path(__file__).resolve().parents[1] / "csrc")
    print("\n".join(lines) or "includes run one way")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
