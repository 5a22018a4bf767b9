"""NNCF, the library that quantises: the extra ``optimize``."""

from __future__ import annotations

import logging
import warnings
from importlib import import_module
from typing import Any

from fastpose.errors import ModelError

__all__ = ["require_nncf"]


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
