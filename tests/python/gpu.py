"""What tests need of an NVIDIA GPU: without one they are skipped, or fail where FASTPOSE_REQUIRE_GPU=1."""

from __future__ import annotations

import importlib.util
import os
from types import ModuleType

import pytest


def cuda_module() -> ModuleType:
    """Return fastpose._cuda; skips where fastpose was built without CUDA."""
    if importlib.util.find_spec("fastpose._cuda") is None:
        _give_up("fastpose was built without CUDA: fastpose._cuda is missing")
    from fastpose import _core, _cuda

    assert _core is not None  # registers the types that _cuda uses
    return _cuda


def require_gpu() -> None:
    """Skip the test, with the reason, where no GPU can be used."""
    problem = cuda_module().status()["problem"]
    if problem:
        _give_up(problem)


def _give_up(reason: str) -> None:
    if os.environ.get("FASTPOSE_REQUIRE_GPU") == "1":
        pytest.fail(f"FASTPOSE_REQUIRE_GPU=1: {reason}")
    pytest.skip(reason)
