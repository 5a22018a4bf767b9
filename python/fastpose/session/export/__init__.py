"""`fastpose export`: a session as files of other tools."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

from fastpose.errors import ConfigError
from fastpose.session.export.content import read_content

__all__ = ["FORMATS", "export"]

FORMATS = ("nwb", "slp", "alf", "dlc")


def export(
    session_dir: str | Path,
    to: str,
    out: str | Path | None = None,
    *,
    camera: str | None = None,
    filtered: bool = False,
) -> tuple[Path, list[str]]:
    """Write a session as another tool's files. Doing it again replaces them by the same.

    Parameters
    ----------
    session_dir : path
    to : str
        `nwb`, `slp`, `alf` or `dlc`.
    out : path, optional
        The file (nwb, slp) or folder (alf, dlc) to write; by default one in the session folder.
    camera : str, optional
        Only this camera; by default every one.
    filtered : bool
        The filter's keypoints instead of the network's.

    Returns
    -------
    path, notes
        What was written, and in a line each what of the session it does not hold.

    Raises
    ------
    ConfigError
        There is no such format.
    RecordError
        It is no session folder, lacks what the format needs, or something cannot be written; or the extra
        `export` is not installed.
    """
    if to not in FORMATS:
        raise ConfigError(f"--to is {to!r}; allowed: {', '.join(FORMATS)}")
    content = read_content(Path(session_dir), camera, filtered=filtered)
    writer: Any = import_module(f"fastpose.session.export.{to}")
    target = Path(out) if out is not None else content.logs.session_dir / writer.default_name(content)
    return target, writer.write(content, target)
