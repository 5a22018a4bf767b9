"""What came of a protocol that was tried, and what one can assert of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from fastpose.session.events import EVENTS
from fastpose.session.log import Records

__all__ = ["Edge", "Tried"]

_CAUSES = {2: "timer", 4: "interlock", 8: "safe", 16: "user"}  # csrc/record/records.h EventFlag
_LATE = 1


@dataclass(frozen=True)
class Edge:
    """A change of a rule, an output or the protocol's state.

    Attributes
    ----------
    time_s : float
        Since the first exposure.
    value : int
    frame_id : int or None
    cause : str
        What moved an output: protocol, timer, interlock, safe, user.
    late : bool
        After the deadline.
    """

    time_s: float
    value: int
    frame_id: int | None
    cause: str
    late: bool


@dataclass(frozen=True)
class Tried:
    """A protocol's session.

    Attributes
    ----------
    seconds : float
    events : ndarray
        (n,) structured as `EVENT_DTYPE`, in order of time.
    filtered : ndarray
        (frames, individuals, K, 3) float32: what the rules saw.
    rules, outputs : sequence of str
    rows : list of dict
        What a Python protocol wrote with ``session.note``: name, time_s, frame_id and its own columns.
    """

    seconds: float
    start_ns: int
    events: Records
    filtered: npt.NDArray[np.float32]
    rules: Sequence[str]
    outputs: Sequence[str]
    rows: list[dict[str, Any]] = field(default_factory=list)

    def output(self, name: str) -> list[Edge]:
        """Every edge of an output."""
        return self._edges("output", _index(self.outputs, "output", name))

    def rule(self, name: str) -> list[Edge]:
        """Every edge of a rule."""
        return self._edges("rule", _index(self.rules, "rule", name))

    def refused(self, name: str) -> list[Edge]:
        """Every command for this output that the interlock refused."""
        return self._edges("refused", _index(self.outputs, "output", name))

    def suppressed(self, name: str) -> list[Edge]:
        """Every reaction on this output that was suppressed because it was late."""
        return self._edges("late", _index(self.outputs, "output", name))

    @property
    def states(self) -> list[Edge]:
        """Every change of the protocol's state."""
        return self._edges("state", None)

    def pulses(self, name: str) -> list[tuple[float, float]]:
        """Start (s) and length (ms) of every stretch of high that ended."""
        found, start_s = [], None
        for edge in self.output(name):
            if edge.value:
                start_s = edge.time_s
            elif start_s is not None:
                found.append((start_s, round((edge.time_s - start_s) * 1e3, 6)))
                start_s = None
        return found

    def levels(self, name: str) -> list[tuple[float, float]]:
        """Time (s) and value (the output's own unit) of every analogue value that was asked for or reached.

        A ramp tells where it starts and where it ends, not the way between.
        """
        index = _index(self.outputs, "output", name)
        mine = self.events[(self.events["kind"] == EVENTS.index("level")) & (self.events["source"] == index)]
        return [(self._edge(event, "level").time_s, int(event["value"]) / 1000) for event in mine]

    def assert_pulses(
        self,
        name: str,
        *,
        exactly: int | None = None,
        at_least: int | None = None,
        length_ms: float | None = None,
    ) -> None:
        """So many pulses, each of this length.

        Raises
        ------
        AssertionError
            It was otherwise; the text says how.
        """
        pulses = self.pulses(name)
        lengths = sorted({length for _, length in pulses})
        if exactly is not None and len(pulses) != exactly:
            raise AssertionError(f"output {name!r} gave {len(pulses)} pulses, expected {exactly}")
        if at_least is not None and len(pulses) < at_least:
            raise AssertionError(f"output {name!r} gave {len(pulses)} pulses, expected {at_least} or more")
        if length_ms is not None and any(abs(length - length_ms) > 0.001 for length in lengths):
            raise AssertionError(
                f"output {name!r} gave pulses of {lengths[0]:g} to {lengths[-1]:g} ms, expected {length_ms:g}"
            )

    def assert_low(self, name: str) -> None:
        """It never went high.

        Raises
        ------
        AssertionError
            It did; the text says when first.
        """
        rises = [edge for edge in self.output(name) if edge.value]
        if rises:
            raise AssertionError(
                f"output {name!r} went high {len(rises)} times, first at {rises[0].time_s:.3f} s"
            )

    def assert_reacts(self, rule: str, output: str, *, within_ms: float) -> None:
        """After each time that the rule became true, the output went high, in this time from the exposure.

        Raises
        ------
        AssertionError
            Once it did not, or the rule was never true.
        """
        rises = [edge.time_s for edge in self.output(output) if edge.value]
        onsets = [self._exposure_s(edge) for edge in self.rule(rule) if edge.value]
        if not onsets:
            raise AssertionError(f"rule {rule!r} was never true in {self.seconds:g} s")
        for onset in onsets:
            if not any(0 <= rise - onset <= within_ms / 1e3 for rise in rises):
                raise AssertionError(
                    f"rule {rule!r} became true at {onset:.3f} s, and output {output!r} did not go high "
                    f"within {within_ms:g} ms"
                )

    def _exposure_s(self, edge: Edge) -> float:
        own = self.events[self.events["frame_id"] == edge.frame_id]
        return (int(own["exposure_start_ns"][0]) - self.start_ns) / 1e9

    def _edges(self, kind: str, source: int | None) -> list[Edge]:
        chosen = self.events["kind"] == EVENTS.index(kind)
        if source is not None:
            chosen &= self.events["source"] == source
        return [self._edge(event, kind) for event in self.events[chosen]]

    def _edge(self, event: Any, kind: str) -> Edge:
        flags = int(event["flags"])
        cause = next((name for flag, name in _CAUSES.items() if flags & flag), "protocol")
        return Edge(
            time_s=round((int(event["stamp_ns"]) - self.start_ns) / 1e9, 9),
            value=int(event["value"]),
            frame_id=int(event["frame_id"]) if event["frame_id"] >= 0 else None,
            cause="" if kind in ("rule", "state") else cause,
            late=bool(flags & _LATE),
        )


def _index(names: Sequence[str], what: str, name: str) -> int:
    if name not in names:
        raise KeyError(f"no {what} {name!r}; the config has {', '.join(names) or 'none'}")
    return list(names).index(name)
