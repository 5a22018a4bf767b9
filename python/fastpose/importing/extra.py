"""Libraries that only the import needs: the extra ``import``."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from fastpose.errors import ModelError

__all__ = ["require"]


def require(module: str) -> Any:
    """Return a module of the extra ``import``.

    Raises
    ------
    ModelError
        It is not installed, or cannot be loaded.
    """
    try:
        return import_module(module)
    except ImportError as error:
        raise ModelError(
            f"importing this model needs {module} ({error}); install it with: "
            'pip install "fastpose-rig[import]"'
        ) from None
    except RuntimeError as error:  # what torchvision does beside a torch of another build
        reason = " ".join(str(error).split())
        raise ModelError(
            f"importing this model needs {module}, which cannot be loaded ({reason}); "
            "install builds of torch and torchvision that belong together"
        ) from None
