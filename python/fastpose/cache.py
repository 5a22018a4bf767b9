"""The user's cache folder, and the part of it that keeps compiled networks.

Note [compiled networks]: OpenVINO names what it compiled by network, input size, threads and its own version,
and compiles again what it cannot read. What it does not do: notice a flipped bit among the weights, or give
room back. So each network has a folder for each input size with a checksum per file; what has none, or
another, is removed before the runtime looks, and what was not used for longest goes when all together takes
more than `ROOM_BYTES`.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sys
import tempfile
import zlib
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path

__all__ = ["ROOM_BYTES", "Kept", "cache_folder", "cache_in", "kept_compiled"]

ROOM_BYTES = 4 * 2**30
_SEALS = "seals.json"


_elsewhere: ContextVar[Path | None] = ContextVar("cache folder", default=None)


@contextlib.contextmanager
def cache_in(folder: Path) -> Iterator[None]:
    """Keep things in another folder for a while: networks that are tried once and thrown away."""
    token = _elsewhere.set(folder)
    try:
        yield
    finally:
        _elsewhere.reset(token)


def cache_folder() -> Path:
    """Where fastpose keeps what it can make again: FASTPOSE_CACHE, else ``fastpose`` in the user's cache.

    Raises RuntimeError where there is no home.
    """
    named = _elsewhere.get() or os.environ.get("FASTPOSE_CACHE")
    return Path(named) if named else _cache_of_user() / "fastpose"


@dataclass(frozen=True)
class Kept:
    """Where one network's compiled forms lie.

    Attributes
    ----------
    folder : Path or None
        None: nothing can be kept.
    problem : str
        Why; empty where it can.
    """

    folder: Path | None
    problem: str = ""


@contextlib.contextmanager
def kept_compiled(name: str) -> Iterator[Kept]:
    """Give the folder for a network's compiled forms, checked before and sealed after.

    Never raises of its own: a cache that cannot be written costs time alone.

    Parameters
    ----------
    name : str
        Of the network and its input size, which no other thread compiles meanwhile.
    """
    kept = _opened(name)
    yield kept
    if kept.folder is not None:
        with contextlib.suppress(OSError):
            _seal(kept.folder)
            _make_room(kept.folder)


def _opened(name: str) -> Kept:
    folder: Path | None = None
    try:
        folder = cache_folder() / "compiled" / name
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
        _remove_unsealed(folder)
        os.utime(folder)
    except (OSError, RuntimeError) as error:  # RuntimeError: there is no home
        reason = error.strerror or str(error) if isinstance(error, OSError) else str(error)
        where = f"'{folder}'" if folder else "the user's cache folder"
        return Kept(None, f"{where} cannot be written ({reason}), so that the network is compiled every time")
    return Kept(folder)


def _remove_unsealed(folder: Path) -> None:
    seals = _seals(folder)
    for file in _files(folder):
        if seals.get(file.name) != _checksum(file):
            file.unlink()


def _seal(folder: Path) -> None:
    """Add the checksums of new files; the others were checked before."""
    before, files = _seals(folder), _files(folder)
    if before.keys() == {file.name for file in files}:
        return
    seals = {file.name: before.get(file.name) or _checksum(file) for file in files}
    with tempfile.NamedTemporaryFile("w", dir=folder, suffix=".tmp", delete=False, encoding="utf-8") as file:
        json.dump(seals, file)
    Path(file.name).replace(folder / _SEALS)


def _seals(folder: Path) -> dict[str, int]:
    try:
        found = json.loads((folder / _SEALS).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _files(folder: Path) -> list[Path]:
    return list(folder.glob("*.blob"))


def _checksum(file: Path) -> int:
    value = 0
    with file.open("rb") as content:
        while block := content.read(1 << 22):
            value = zlib.crc32(block, value)
    return value


def _make_room(used: Path) -> None:
    """Remove the networks that were not used for longest, never the one in use."""
    others = [path for path in used.parent.iterdir() if path.is_dir() and path != used]
    others.sort(key=lambda path: path.stat().st_mtime_ns)
    taken = sum(_size(path) for path in (used, *others))
    for path in others:
        if taken <= ROOM_BYTES:
            return
        taken -= _size(path)
        shutil.rmtree(path, ignore_errors=True)


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir())


def _cache_of_user() -> Path:
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
