"""Says how to make what an example needs and does not come with."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["made_by"]


def made_by(path: str | os.PathLike[str]) -> str:
    """Return "; to make it: python ..." for a file or folder that a script makes; "" where there is none.

    A script `make_NAME.py` makes what lies in the folder `NAME` beside it.
    """
    folder = Path(path).parent
    script = folder.parent / f"make_{folder.name}.py"
    return f"; to make it: python {os.path.relpath(script)}" if script.is_file() else ""
