"""What a session takes of the machine, watched while it runs, and said at its end."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any

from fastpose import _core
from fastpose import config as cfg
from fastpose.assembly.compute_threads import ComputeGrant, place_compute_threads
from fastpose.assembly.placement import Placement, place, this_machine
from fastpose.drivers import CameraSource
from fastpose.rights import fifo_way_out, grants_fifo, memory_way_out, realtime_budget

__all__ = ["Machine", "timing_lines"]

LOOK_EVERY_NS = 1_000_000_000
NS_PER_US = 1e3
SHORTEST_SPIN_US = 20  # csrc/engine/frame_wait.h

_NAMES = {
    "fifo": "SCHED_FIFO",
    "lock_memory": "locked memory",
    "affinity": "a core for the loop",
    "spin": "spinning before a frame",
}

_RIGHTS = ("fifo", "lock_memory", "affinity")  # what can be refused, or be given up

Measure = dict[str, Any]  # asked, granted: bool; said: str


class Machine:
    """The measures against jitter of one session.

    Parameters
    ----------
    engine : Engine
        The config's section.
    hosted : int
        Encoders and camera processes.
    """

    def __init__(self, engine: cfg.Engine, hosted: int) -> None:
        self._asked = engine
        has_fifo = self.fifo and grants_fifo()
        self.placement: Placement = place(engine, hosted, this_machine(), fifo=has_fifo)
        self._compute = ComputeGrant()
        self._taken_away = 0
        self._spread: set[str] = set()
        self._next_look_ns = 0

    @property
    def fifo(self) -> bool:
        """SCHED_FIFO is asked for."""
        return self._asked.realtime and self._asked.fifo

    def request(self) -> _core.RealtimeRequest:
        """What the engine asks for."""
        return _core.RealtimeRequest(
            fifo=self.fifo,
            lock_memory=self._asked.realtime and self._asked.lock_memory,
            loop_cpus=self.placement.loop,
            other_cpus=self.placement.others,
            spin_ns=self._spin_us() * 1000,
        )

    def _spin_us(self) -> int:
        """Not where a camera may have to run on the core that would be kept busy."""
        if not (self._asked.realtime and self.placement.keeps_a_core):
            return 0
        return self._asked.spin_us

    @property
    def hosts_spin_us(self) -> int:
        """Longest time for which a camera's process may wait awake; us. Only beside the loop's core."""
        return self._spin_us() if self.placement.hosts else 0

    def look(self, cameras: Sequence[CameraSource]) -> None:
        """See that everything is still where it was put; at most once a second."""
        if _core.now_ns() < self._next_look_ns:
            return
        self._next_look_ns = _core.now_ns() + LOOK_EVERY_NS
        if not self._asked.realtime:
            return
        self._compute = place_compute_threads(self.placement.compute)
        self._taken_away += self._compute.realtime_taken_away
        for camera in cameras if self.placement.hosts else ():
            self._look_at_encoder(camera)

    def _look_at_encoder(self, camera: CameraSource) -> None:
        cores = _cores_of(camera.encoder.pid) if camera.encoder is not None else None
        if cores is not None and cores != set(self.placement.hosts):
            self._spread.add(camera.name)

    # --- the report ---

    def report(self, engine: _core.Engine) -> dict[str, Any]:
        """What was asked for, what was granted and why not: ``granted`` in session.json."""
        memory, budget = engine.memory_grant, realtime_budget()
        return {
            "loop": engine.loop_grant,
            "memory_locked": memory["present"],
            "loop_timing": engine.loop_timing,
            "sched_rt_runtime_us": budget.runtime_us if budget else None,
            "sched_rt_period_us": budget.period_us if budget else None,
            "measures": self.measures(engine),
        }

    def measures(self, engine: _core.Engine) -> dict[str, Measure]:
        """Each measure by name."""
        asked = self._asked
        return {
            "fifo": self._fifo(engine.loop_timing),
            "lock_memory": _measure(asked.realtime and asked.lock_memory, *_memory(engine.memory_grant)),
            "affinity": self._affinity(engine.loop_grant),
            "compute_threads": self._compute_threads(),
            "spin": self._spin(engine.loop_timing),
            "timer_slack": _measure(True, sys.platform == "linux", "1 ns for the engine's threads"),
        }

    def _fifo(self, timing: _core._LoopTiming) -> Measure:
        most = max(timing["most_share"], timing["expected_share"] if timing["fifo"] == "over_budget" else 0)
        share = f"the loop took {most:.0%} of its core at most"
        if timing["fifo"] == "refused":
            said = f"refused; {fifo_way_out()}"
        elif timing["fifo"] == "over_budget":
            said = f"left for the normal policy: {share}; {realtime_budget()}"
        elif timing["fifo"] == "granted":
            left = f"; left {timing['fifo_left']} times on the way" if timing["fifo_left"] else ""
            said = f"{share}{left}; {realtime_budget()}"
        else:
            said = "every frame is wanted: the loop may fill its core" if self.fifo else "not asked for"
        return _measure(timing["fifo"] != "not_asked", timing["fifo"] == "granted", said)

    def _affinity(self, grant: _core._ThreadGrant) -> Measure:
        said = self.placement.said
        if self._spread:
            names = ", ".join(sorted(self._spread))
            said += f"; the encoder of {names} fell behind and took the loop's core too"
        if grant["moved"]:
            said += "; the network's runtime takes the loop off its core while it computes"
        return _measure(self.placement.ours or bool(self.placement.loop), grant["affinity"], said)

    def _compute_threads(self) -> Measure:
        found = self._compute
        policy = "ahead of other normal threads" if found.eager else "as other normal threads"
        said = f"{found.threads} beside the loop's, {found.placed} kept off its core; never FIFO, {policy}"
        if self._taken_away:
            said += f"; {self._taken_away} had inherited SCHED_FIFO"
        return _measure(
            self.placement.keeps_a_core, found.threads > 0 and found.placed == found.threads, said
        )

    def _spin(self, timing: _core._LoopTiming) -> Measure:
        allowed_us = self._spin_us()
        if not allowed_us:
            asked = self._asked.realtime and self._asked.spin_us > 0
            return _measure(asked, False, "no core is the loop's own" if asked else "not asked for")
        most_us = min(allowed_us, timing["spin_ns"] / NS_PER_US)
        if most_us < SHORTEST_SPIN_US:
            return _measure(True, False, "the loop's work leaves no time for it")
        awake = timing["spun"] / max(1, timing["frames"])
        return _measure(
            True, True, f"at most {most_us:.0f} us a frame; {awake:.0%} of the frames met it awake"
        )


def timing_lines(measures: dict[str, Measure]) -> list[str]:
    """The measures as a person reads them: what was got in one line, and one for each that was refused."""
    got = [_NAMES[name] for name, measure in measures.items() if measure["granted"] and name in _NAMES]
    refused = [
        f"{_NAMES[name]}: {measures[name]['said']}"
        for name in _RIGHTS
        if measures[name]["asked"] and not measures[name]["granted"]
    ]
    return ([", ".join(got)] if got else []) + refused


def _measure(asked: bool, granted: bool, said: str) -> Measure:
    return {"asked": asked, "granted": asked and granted, "said": said}


def _memory(grant: _core._MemoryGrant) -> tuple[bool, str]:
    if not grant["present"]:
        return False, f"refused; {memory_way_out()}"
    later = "" if grant["future"] else "; what was mapped later did not: its amount is limited"
    return True, f"what was mapped at the start, {grant['locked_bytes'] / 1e6:.0f} MB, stayed in RAM{later}"


def _cores_of(task: int) -> set[int] | None:
    """The cores that a thread or process may run on; None where it is gone."""
    if sys.platform != "linux" or not task:
        return None
    try:
        return set(os.sched_getaffinity(task))
    except OSError:
        return None
