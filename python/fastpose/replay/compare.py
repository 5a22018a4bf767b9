"""What differs between two runs of a session's events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from fastpose.session.events import EVENTS
from fastpose.session.log import Records

__all__ = ["Difference", "Names", "differences", "in_order"]

FIELDS = ("stamp_ns", "kind", "source", "value", "frame_id", "exposure_start_ns", "flags", "camera")
_CAUSES = {2: "timer", 4: "interlock", 8: "safe", 16: "user"}  # csrc/record/records.h EventFlag


@dataclass(frozen=True)
class Names:
    """What events refer to by index."""

    rules: Sequence[str]
    outputs: Sequence[str]


@dataclass(frozen=True)
class Difference:
    """One event that only one of the two has.

    Attributes
    ----------
    side : str
        `recorded`: it is gone; `replayed`: it is new.
    event, name, value, frame_id, cause
        As events.csv has them.
    time_s : float
        Since the first frame.
    """

    side: Literal["recorded", "replayed"]
    event: str
    name: str
    value: int
    frame_id: int | None
    cause: str
    time_s: float
    stamp_ns: int

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return dict(vars(self))


def in_order(events: Records) -> Records:
    """The events by time; those of one moment in an order that depends on nothing but themselves."""
    return events[np.lexsort([events[name] for name in reversed(FIELDS)])]


def differences(
    recorded: Records, replayed: Records, names: tuple[Names, Names], *, start_ns: int
) -> list[Difference]:
    """Every event that only one of the two has, in order of time; [] where they are bit-identical.

    Parameters
    ----------
    recorded, replayed : ndarray
        Structured as `EVENT_DTYPE`; checksums are not compared, names are, not their numbers.
    names : tuple of Names
        What the numbers of each of the two mean.
    start_ns : int
        Time zero of `time_s`.
    """
    old, new = _keys(recorded, names[0]), _keys(replayed, names[1])
    gone, come = _surplus(old, new), _surplus(new, old)
    found = [_difference("recorded", recorded[i], names[0], start_ns) for i in gone]
    found += [_difference("replayed", replayed[i], names[1], start_ns) for i in come]
    return sorted(found, key=lambda each: (each.stamp_ns, each.side))


_Key = tuple[str | int, ...]


def _keys(events: Records, names: Names) -> list[_Key]:
    return [
        (_name(event, names), *(int(event[field]) for field in FIELDS if field != "source"))
        for event in events
    ]


def _surplus(these: list[_Key], those: list[_Key]) -> list[int]:
    """Indices of what `these` have and `those` do not, equal ones counted."""
    left: dict[_Key, int] = {}
    for key in those:
        left[key] = left.get(key, 0) + 1
    surplus = []
    for index, key in enumerate(these):
        left[key] = left.get(key, 0) - 1
        if left[key] < 0:
            surplus.append(index)
    return surplus


def _name(event: Any, names: Names) -> str:
    kind, source = EVENTS[int(event["kind"])] if event["kind"] < len(EVENTS) else "", int(event["source"])
    of_kind = {"rule": names.rules, "state": (), "trial": ()}.get(kind, names.outputs)
    return of_kind[source] if 0 <= source < len(of_kind) else str(source)


def _difference(side: Literal["recorded", "replayed"], event: Any, names: Names, start_ns: int) -> Difference:
    kind, flags = int(event["kind"]), int(event["flags"])
    acts = kind not in (EVENTS.index("rule"), EVENTS.index("state"), EVENTS.index("trial"))
    cause = next((cause for flag, cause in _CAUSES.items() if flags & flag), "protocol" if acts else "")
    return Difference(
        side=side,
        event=EVENTS[kind] if kind < len(EVENTS) else str(kind),
        name=_name(event, names),
        value=int(event["value"]),
        frame_id=int(event["frame_id"]) if event["frame_id"] >= 0 else None,
        cause=cause,
        time_s=round((int(event["stamp_ns"]) - start_ns) / 1e9, 6),
        stamp_ns=int(event["stamp_ns"]),
    )
