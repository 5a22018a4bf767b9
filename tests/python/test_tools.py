"""tools/check_includes.py finds the includes that run the wrong way, and no others."""

from __future__ import annotations

from pathlib import Path

import pytest
from tools import check_includes


def problems_of(tree: Path, path: str, text: str) -> list[str]:
    """Return what is said about one file, without its path."""
    file = tree / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return [line.removeprefix(f"{file}: ") for line in check_includes.problems(tree)]


@pytest.mark.parametrize(
    ("path", "include"),
    [
        ("base/clock.h", "<cstdint>"),
        ("frame/ring.h", '"base/clock.h"'),
        ("latency/histogram.h", '"frame/frame.h"'),
        ("rule/speed.cpp", '"rule/speed.h"'),
        ("rule/speed.cpp", '"pose/pose.h"'),
        ("infer/backend_openvino.cpp", "<openvino/openvino.hpp>"),
        ("engine/pipeline.h", '"rule/rule.h"'),
        ("engine/engine.h", '"engine/pipeline.h"'),
    ],
)
def test_includes_that_run_one_way(tmp_path: Path, path: str, include: str) -> None:
    assert problems_of(tmp_path, path, f"#pragma once\n#include {include}\n") == []


@pytest.mark.parametrize(
    ("path", "include", "told"),
    [
        ("base/clock.h", '"frame/frame.h"', "base/ may not include frame/"),
        ("pose/pose.h", '"rule/rule.h"', "pose/ may not include rule/"),
        ("rule/rule.h", '"filter/filter.h"', "rule/ may not include filter/"),
        ("record/log_file.cpp", '"engine/engine.h"', "record/ may not include engine/"),
        ("base/clock.h", '"nowhere/clock.h"', "base/ may not include nowhere/"),
        ("engine/engine.h", "<pybind11/pybind11.h>", "pybind11/pybind11.h: the engine knows no Python"),
        ("engine/engine.h", '"Python.h"', "Python.h: the engine knows no Python"),
        ("rule/speed.cpp", '"../filter/filter.h"', '"../filter/filter.h": name it from csrc/ on'),
        ("rule/speed.cpp", '"speed.h"', '"speed.h": name it from csrc/ on'),
        ("rule/speed.cpp", "<filter/filter.h>", "<filter/filter.h>: our own headers stand in quotes"),
        ("newcomer/new.h", "<cstdint>", "newcomer has no place in the order of includes"),
    ],
)
def test_a_wrong_include_is_told(tmp_path: Path, path: str, include: str, told: str) -> None:
    (line,) = problems_of(tmp_path, path, f"// First line.\n  #  include {include}  // indented\n")
    assert line.startswith(told)


def test_comments_are_no_includes(tmp_path: Path) -> None:
    assert problems_of(tmp_path, "base/clock.h", '// #include "engine/engine.h"\n') == []


def test_the_tree_is_clean() -> None:
    csrc = Path(check_includes.__file__).resolve().parents[1] / "csrc"
    assert len(list(csrc.rglob("*.h"))) > 50
    assert check_includes.problems(csrc) == []
