"""Builds the V4L2 device of tests/preload and says how a program is started with it.

python -m tools.v4l2_preload FOLDER      # prints the variables; then, for example:
env $(python -m tools.v4l2_preload /tmp/fake) ffmpeg -f v4l2 -i /tmp/fake/video0 ...
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

__all__ = ["absent", "build", "environment"]

ROOT = Path(__file__).resolve().parents[1]
SOURCES = (ROOT / "tests/preload/v4l2_preload.cpp", ROOT / "tests/cpp/fake_v4l2.cpp")
HEADER = ROOT / "tests/cpp/fake_v4l2.h"
FLAGS = ("-std=c++20", "-O2", "-fPIC", "-shared", "-Wall", "-Wextra")


def absent() -> str:
    """Why it cannot be built here; empty where it can."""
    if sys.platform != "linux":
        return "V4L2 is Linux's"
    if shutil.which("c++") is None:
        return "no C++ compiler (c++) to build the preloaded device with"
    return ""


def build(folder: Path) -> Path:
    """Compile the library into a folder, unless it is there and newer than its sources."""
    library = folder / "libfake_v4l2.so"
    newest = max(path.stat().st_mtime for path in (*SOURCES, HEADER))
    if not library.exists() or library.stat().st_mtime < newest:
        folder.mkdir(parents=True, exist_ok=True)
        sources = map(str, SOURCES)
        command = ["c++", *FLAGS, f"-I{HEADER.parent}", *sources, "-o", str(library), "-ldl", "-lpthread"]
        subprocess.run(command, check=True)
    return library


def environment(library: Path, device: Path, **settings: str | int) -> dict[str, str]:
    """Variables for a program that shall find the device at a path; `settings` as in the source, in lower
    case and without ``FAKE_V4L2_``.
    """
    device.touch()
    named = {f"FAKE_V4L2_{name.upper()}": str(value) for name, value in settings.items()}
    return {"LD_PRELOAD": str(library), "FAKE_V4L2_PATH": str(device), **named}


def main() -> None:
    folder = Path(sys.argv[1]).absolute()
    variables = environment(build(folder), folder / "video0")
    print(" ".join(f"{name}={value}" for name, value in variables.items()))


if __name__ == "__main__":
    main()
