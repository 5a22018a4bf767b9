"""The sketch: it compiles as Arduino would compile it, and its core stands on no library."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SKETCH = ROOT / "firmware" / "fastpose_firmware"


@pytest.mark.parametrize("standard", ["c++11", "c++17"])  # of old and of new Arduino cores
def test_sketch_compiles(tmp_path: Path, standard: str) -> None:
    compiler = shutil.which("g++") or shutil.which("clang++")
    if compiler is None:
        pytest.skip("no C++ compiler here")
    command = [compiler, "-x", "c++", f"-std={standard}", "-Wall", "-Wextra", "-Werror", "-Os", "-c"]
    command += ["-I", str(ROOT / "tests" / "arduino"), "-o", str(tmp_path / "sketch.o")]
    done = subprocess.run([*command, str(SKETCH / "fastpose_firmware.ino")], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_sketch_includes_nothing_else() -> None:
    included = {
        header
        for file in SKETCH.iterdir()
        for header in re.findall(r'#include [<"](.+)[>"]', file.read_text(encoding="utf-8"))
    }
    assert included == {"Arduino.h", "core.h", "wire.h", "stdint.h"}


def test_reference_tells_every_message() -> None:
    reference = (ROOT / "docs" / "reference" / "firmware.md").read_text(encoding="utf-8")
    wire = (SKETCH / "wire.h").read_text(encoding="utf-8")
    for name, number in re.findall(r"type_(\w+) = (0x[0-9A-F]+|\d+)", wire):
        assert f"| {number} | {name} |" in reference, name
