"""Libraries that make other forms of a network: the extra ``optimize``."""

from __future__ import annotations

import logging
import warnings
from importlib import import_module
from typing import Any

from fastpose.errors import ModelError

__all__ = ["require_nncf", "require_onnx"]


def require_nncf() -> Any:
    """Return the module ``nncf``, its own progress reports off.

    Raises
    ------
    ModelError
        It is not installed.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the libraries that it brings
            nncf = import_module("nncf")
    except ImportError as error:
        raise ModelError(
            f"int8 networks are made with nncf ({error}); install it with: "
            'pip install "fastpose-rig[optimize]"'
        ) from None
    nncf.set_log_level(logging.ERROR)
    return nncf


def require_onnx() -> Any:
    """Return the module ``onnx``; raises ModelError where it is not installed."""
    try:
        return import_module("onnx")
    except ImportError as error:
        raise ModelError(
            f"networks for GPUs are made with onnx ({error}); install it with: "
            'pip install "fastpose-rig[optimize]"'
        ) from None
