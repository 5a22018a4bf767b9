"""A rule from an installed package, as `pip` lays one out: an answer in C's form behind an entry point."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

__all__ = ["install", "make"]

NAME = "to_the_right"


class RuleInput(ctypes.Structure):
    """`fp_rule_input` of csrc/rule/plugin.h."""

    _fields_ = (
        ("keypoints", ctypes.POINTER(ctypes.c_float)),
        ("individuals", ctypes.c_int),
        ("bodyparts", ctypes.c_int),
        ("exposure_start_ns", ctypes.c_int64),
        ("min_likelihood", ctypes.c_float),
        ("active", ctypes.c_int),
    )


class Rule(ctypes.Structure):
    """`fp_rule` of csrc/rule/plugin.h."""

    _fields_ = (
        ("abi", ctypes.c_int32),
        ("evaluate", ctypes.c_void_p),
        ("reset", ctypes.c_void_p),
        ("state", ctypes.c_void_p),
    )


_alive: list[Any] = []  # what the capsules point to


def make(options: Mapping[str, Any], bodyparts: Sequence[str], _individuals: Sequence[str]) -> Any:
    """Return the rule: the centre of the body is right of `limit`, px."""
    at, limit = 3 * bodyparts.index("center"), float(options["limit"])
    return _capsule(lambda seen: int(seen.keypoints[at] > limit))


def _capsule(answer: Callable[[RuleInput], int]) -> Any:
    kind = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.POINTER(RuleInput))
    function = kind(lambda _state, seen: answer(seen.contents))
    rule = Rule(1, ctypes.cast(function, ctypes.c_void_p), None, None)
    _alive.extend((function, rule))
    new = ctypes.pythonapi.PyCapsule_New
    new.restype, new.argtypes = ctypes.py_object, (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p)
    return new(ctypes.addressof(rule), b"fastpose.rule", None)


def install(folder: Path) -> dict[str, Any]:
    """Make this module a package with an entry point, found from now on; returns the config of its rule."""
    info = folder / "plugged_in-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: plugged-in\nVersion: 1.0\n", encoding="utf-8"
    )
    (info / "entry_points.txt").write_text(f"[fastpose.rules]\n{NAME} = {__name__}:make\n", encoding="utf-8")
    sys.path.insert(0, str(folder))
    return {"type": "plugin", "name": NAME, "options": {"limit": 300}}
