"""The stub of the engine says what the engine says of itself: pybind11 writes signatures into docstrings.

`mypy.stubtest` compares names only: functions of an extension have no signature that Python could inspect.
"""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import fastpose
from fastpose import _core

PLAIN = {"int", "float", "bool", "str", "None", "memoryview"}
STUB = Path(fastpose.__file__).with_name("_core.pyi")

Function = ast.FunctionDef


def stub_functions(path: Path) -> Iterator[tuple[str, Function]]:
    """Yield the functions of a stub by their dotted names, overloaded ones left out."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef) and node.name[0] != "_"]
    for prefix, body in [("", tree.body), *((f"{node.name}.", node.body) for node in classes)]:
        functions = [node for node in body if isinstance(node, Function)]
        yield from ((prefix + f.name, f) for f in functions if "overload" not in decorators(f))


def decorators(function: Function) -> set[str]:
    return {ast.unparse(node) for node in function.decorator_list}


def engine_function(module: ModuleType, name: str) -> Function:
    """Return the signature of a function, method or property as pybind11 wrote it down."""
    found: Any = module
    for part in name.split("."):
        found = vars(found)[part] if isinstance(found, type) else getattr(found, part)
    found = getattr(found, "fget", None) or getattr(found, "__func__", found)
    text = re.sub(r"<[^<>]*>", "...", found.__doc__.splitlines()[0])
    (function,) = ast.parse(f"def {'f' + text if text[0] == '(' else text}: ...").body
    assert isinstance(function, Function)
    return function


def parameters(function: Function, *, method: bool) -> dict[str, list[str]]:
    """Return the names of positional and keyword-only parameters, those with a default marked."""
    args = function.args
    required = len(args.args) - len(args.defaults)
    positional = [a.arg + "=" * (i >= required) for i, a in enumerate(args.args)]
    keywords = [a.arg + "=" * (d is not None) for a, d in zip(args.kwonlyargs, args.kw_defaults, strict=True)]
    return {"positional": positional[1 if method else 0 :], "keywords": keywords}


def defaults(function: Function) -> dict[str, str]:
    """Return the defaults that stand there as values, by parameter."""
    args = function.args
    positional = args.args[len(args.args) - len(args.defaults) :]
    pairs = [
        *zip(positional, args.defaults, strict=True),
        *zip(args.kwonlyargs, args.kw_defaults, strict=True),
    ]
    return {a.arg: ast.unparse(d) for a, d in pairs if d is not None and ast.unparse(d) != "..."}


FUNCTIONS = dict(stub_functions(STUB))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_stub_has_the_engines_signatures(name: str) -> None:
    stub, engine = FUNCTIONS[name], engine_function(_core, name)
    method = "." in name and "staticmethod" not in decorators(stub)
    assert parameters(stub, method=method) == parameters(engine, method=method)
    said = defaults(engine)
    for parameter, value in defaults(stub).items():
        assert value == said[parameter], parameter
    result = ast.unparse(engine.returns or ast.Constant(None))
    if result in PLAIN - {"str"}:
        assert ast.unparse(stub.returns or ast.Constant(None)) == result


def ring() -> _core.Ring:
    return _core.Ring.create(f"/fastpose-{os.getpid()}-stubs", width=8, height=8)


def engine() -> _core.Engine:
    return _core.Engine(cameras=[_core.CameraPart(name="top", ring=ring())], log=False)


@pytest.mark.parametrize(
    ("made", "name"),
    [
        (lambda: _core.LatencyHistogram().summary(), "_LatencySummary"),
        (lambda: ring().counts(), "_RingCounts"),
        (lambda: engine().snapshot(), "_Snapshot"),
        (lambda: engine().snapshot()["exposure_to_acted"], "_LatencySummary"),
        (lambda: engine().loop_grant, "_ThreadGrant"),
        (lambda: ring().clock(), "_ClockReport"),
    ],
)
def test_the_stubs_dictionaries_have_the_engines_keys(made: Any, name: str) -> None:
    tree = ast.parse(STUB.read_text(encoding="utf-8"))
    (stub,) = (node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == name)
    keys = [ast.unparse(node.target) for node in stub.body if isinstance(node, ast.AnnAssign)]
    assert keys == list(made())


def test_what_the_stub_offers() -> None:
    assert len(FUNCTIONS) > 150
