"""Some of a bench's conditions, by their names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar

__all__ = ["chosen_of"]


class _Named(Protocol):
    @property
    def name(self) -> str: ...


T = TypeVar("T", bound=_Named)


def chosen_of(things: Sequence[T], names: str, *, what: str) -> tuple[T, ...]:
    """Return the things of a comma-separated list, in their own order; all for an empty one.

    Raises
    ------
    ValueError
        A name is none of theirs.
    """
    wanted = [name for name in names.split(",") if name]
    known = [thing.name for thing in things]
    for name in wanted:
        if name not in known:
            raise ValueError(f"{what} {name!r} is not known; allowed: {', '.join(known)}")
    return tuple(thing for thing in things if not wanted or thing.name in wanted)
