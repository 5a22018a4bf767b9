"""Opens files that torch wrote without ever executing what they hold."""

from __future__ import annotations

import pickle
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from fastpose.errors import ModelError
from fastpose.importing.extra import require

__all__ = ["load_torch"]


def load_torch(path: Path) -> dict[str, Any]:
    """Load a dictionary of tensors and plain values.

    Parameters
    ----------
    path : Path
        A file of ``torch.save``.

    Returns
    -------
    dict
        Tensors on the CPU.

    Raises
    ------
    ModelError
        The file is cut off, holds code or objects, or is no dictionary.
    """
    torch = require("torch")
    try:
        with torch.serialization.safe_globals(_numpy_scalars()), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of pickle protocols, to people who write torch files
            content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise ModelError(_why_refused(path, error)) from None
    except (RuntimeError, EOFError, OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        raise ModelError(
            f"'{path}' cannot be read ({_first_line(error)}): cut off or damaged; copy or export it again"
        ) from None
    if not isinstance(content, dict):
        raise ModelError(f"'{path}' holds a {type(content).__name__}; allowed: what DeepLabCut 3 exports")
    return content


def _why_refused(path: Path, error: Exception) -> str:
    """One line for what torch's safe unpickler would not take."""
    text = str(error)
    if "Unsupported global" in text or "Unsupported class" in text or "Unsupported operand" in text:
        _, _, rest = text.partition("GLOBAL ")
        name = rest.split(" ", 1)[0] if rest else "an object"
        return (
            f"'{path}' holds code or objects ({name}), not only tensors and plain values; nothing of it was "
            "executed; export it again with DeepLabCut 3 (deeplabcut.export_model)"
        )
    return (
        f"'{path}' is no file of torch.save, or damaged ({_first_line(error)}); nothing of it was executed; "
        "copy or export it again"
    )


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:160]


def _numpy_scalars() -> list[Any]:
    """Plain numbers that older snapshots of DeepLabCut hold in their metrics."""
    scalar = np.float64(0).__reduce__()[0]
    dtypes = [type(np.dtype(kind)) for kind in ("f4", "f8", "i4", "i8", "?")]
    return [(scalar, "numpy.core.multiarray.scalar"), scalar, np.dtype, *dtypes]
