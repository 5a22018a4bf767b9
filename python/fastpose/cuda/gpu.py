"""The NVIDIA GPUs of this machine, as the engine sees them."""

from __future__ import annotations

import re
from importlib import import_module
from typing import Any

from fastpose.cuda.runtime import Gpu
from fastpose.errors import DeviceError

__all__ = ["cuda_module", "find_gpu", "has_gpu", "index_of", "is_cuda"]

_DEVICE = re.compile(r"cuda(?::(\d{1,3}))?")


def is_cuda(device: str) -> bool:
    """Whether a device of a config is an NVIDIA GPU."""
    return _DEVICE.fullmatch(device) is not None


def index_of(device: str) -> int:
    """The N of cuda:N; 0 for cuda."""
    found = _DEVICE.fullmatch(device)
    assert found is not None
    return int(found[1] or 0)


def cuda_module() -> Any:
    """The extension fastpose._cuda; raises DeviceError where it was not built."""
    try:
        return import_module("fastpose._cuda")
    except ImportError as error:
        raise DeviceError(
            f"device cuda: fastpose was built without CUDA ({error}); build it where nvcc is, with: "
            "pip install . -C cmake.define.FASTPOSE_CUDA=ON"
        ) from None


def has_gpu() -> bool:
    """Whether a GPU of this machine can be used."""
    try:
        return not cuda_module().status()["problem"]
    except DeviceError:
        return False


def find_gpu(device: str) -> Gpu:
    """The GPU that a config names, ready to be used.

    Raises
    ------
    DeviceError
        The engine has no CUDA, or driver, device or architecture do not fit.
    """
    module, index = cuda_module(), index_of(device)
    module.require_device(index)
    status = module.status()
    found = next(each for each in status["devices"] if each["index"] == index)
    major, minor = (int(part) for part in found["compute_capability"].split("."))
    return Gpu(index, found["name"], (major, minor), status["driver"])
