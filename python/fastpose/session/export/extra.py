"""Libraries that only exports need: the extra ``export``."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from fastpose.errors import RecordError

__all__ = ["require"]


def require(module: str) -> Any:
    """Return a module of the extra ``export``.

    Raises
    ------
    RecordError
        It is not installed, or cannot be loaded.
    """
    try:
        return import_module(module)
    except ImportError as error:
        raise RecordError(
            f'this export needs {module} ({error}); install it with: pip install "fastpose-rig[export]"'
        ) from None
