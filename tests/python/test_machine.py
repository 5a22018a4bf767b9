"""What a session takes of the machine: asked for, granted, and said in words."""

from __future__ import annotations

import ctypes
import os
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from fastpose import Rig
from fastpose.assembly import machine as machine_module
from fastpose.assembly.cameras import hosted_processes
from fastpose.assembly.compute_threads import ComputeGrant
from fastpose.assembly.machine import Machine, timing_lines
from fastpose.assembly.placement import Core
from fastpose.config import Engine
from rigs import ENDLESS, rig_config, run_here

LOCKED = {"present": True, "future": True, "locked_bytes": 200_000_000}
TIMING = {
    "fifo": "granted",
    "fifo_left": 0,
    "warm_up_work_ns": 1_000_000,
    "expected_share": 0.2,
    "share": 0.21,
    "most_share": 0.25,
    "frames": 100,
    "spun": 90,
    "spin_ns": 900_000,
}


class FakeEngine:
    """What the engine says of itself."""

    def __init__(self, **changes: Any) -> None:
        self.loop_grant = {"realtime": True, "affinity": True, "moved": False, "thread_id": 0}
        self.memory_grant = dict(LOCKED)
        self.loop_timing = TIMING | changes


@pytest.fixture(autouse=True)
def two_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine_module, "this_machine", lambda: {0: Core(), 1: Core()})
    monkeypatch.setattr(machine_module, "grants_fifo", lambda: True)
    monkeypatch.setattr(machine_module, "place_compute_threads", lambda _: ComputeGrant(1, 1, True, 0))


def measures(engine: Any, **section: Any) -> dict[str, Any]:
    machine = Machine(Engine(**section), hosted=1)
    machine.look([])
    return machine.measures(engine)


def test_all_that_is_granted_in_one_line() -> None:
    found = measures(FakeEngine())
    assert all(measure["granted"] for measure in found.values())
    assert timing_lines(found) == ["SCHED_FIFO, locked memory, a core for the loop, spinning before a frame"]
    assert "25% of its core at most" in found["fifo"]["said"]
    assert found["spin"]["said"] == "at most 300 us a frame; 90% of the frames met it awake"


def test_what_is_refused_names_the_way_out() -> None:
    engine = FakeEngine(fifo="refused")
    engine.memory_grant = {"present": False, "future": False, "locked_bytes": 0}
    got, fifo, memory = timing_lines(measures(engine))
    assert got == "a core for the loop, spinning before a frame"
    assert fifo.startswith("SCHED_FIFO: refused; ")
    assert memory.startswith("locked memory: refused; ")
    assert "limits.conf" in fifo
    assert "limits.conf" in memory


def test_over_the_budget_says_the_kernel_s_value() -> None:
    found = measures(FakeEngine(fifo="over_budget", most_share=0.97))["fifo"]
    assert found["asked"] and not found["granted"]
    assert "97% of its core" in found["said"]
    if Path("/proc/sys/kernel/sched_rt_runtime_us").exists():
        assert "sched_rt_runtime_us" in found["said"]


def test_every_frame_wanted_is_a_reason_not_to_ask() -> None:
    found = measures(FakeEngine(fifo="not_asked"))["fifo"]
    assert (found["asked"], found["granted"]) == (False, False)
    assert "every frame is wanted" in found["said"]


def test_nothing_asked_nothing_said() -> None:
    engine = FakeEngine(fifo="not_asked")
    engine.loop_grant["affinity"] = False
    found = measures(engine, realtime=False)
    asked = {name for name, measure in found.items() if measure["asked"]}
    assert asked == {"timer_slack"}
    assert timing_lines(found) == []


def test_without_time_to_spin_nobody_is_alarmed() -> None:
    found = measures(FakeEngine(spin_ns=1000, spun=0))
    assert not found["spin"]["granted"]
    assert found["spin"]["said"] == "the loop's work leaves no time for it"
    assert timing_lines(found) == ["SCHED_FIFO, locked memory, a core for the loop"]


def test_a_runtime_that_moves_the_loop_is_told() -> None:
    engine = FakeEngine()
    engine.loop_grant["moved"] = True
    assert "takes the loop off its core" in measures(engine)["affinity"]["said"]


@pytest.mark.parametrize("section", [{"affinity": False}, {"spin_us": 0}, {"realtime": False}])
def test_never_spins_where_its_core_is_not_its_own(section: dict[str, Any]) -> None:
    assert not measures(FakeEngine(), **section)["spin"]["granted"]


def test_without_rights_nothing_is_bound_and_nothing_spins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine_module, "grants_fifo", lambda: False)
    engine = FakeEngine(fifo="refused", spun=0)
    engine.loop_grant["affinity"] = False
    found = measures(engine)
    assert not found["affinity"]["granted"]
    assert "not bound to it without SCHED_FIFO" in found["affinity"]["said"]
    assert not found["spin"]["granted"]


def test_processes_are_counted(tmp_path: Path) -> None:
    assert hosted_processes(rig_config(tmp_path)) == 1
    assert hosted_processes(rig_config(tmp_path, {"record.video": None})) == 0
    video = {"driver": "video", "path": str(tmp_path / "a.mkv")}
    assert hosted_processes(rig_config(tmp_path, {"cameras.top": video})) == 2


def test_session_json_says_what_was_granted(tmp_path: Path) -> None:
    session = run_here(tmp_path, {"engine": {"realtime": True}, "cameras.top.frames": "newest"})
    granted = session.json["granted"]
    assert set(granted["measures"]) == {
        "fifo",
        "lock_memory",
        "affinity",
        "compute_threads",
        "spin",
        "timer_slack",
    }
    for measure in granted["measures"].values():
        assert set(measure) == {"asked", "granted", "said"}
        assert measure["said"]
    assert granted["loop"]["realtime"] == granted["measures"]["fifo"]["granted"]
    assert granted["loop_timing"]["frames"] > 0
    assert "sched_rt_runtime_us" in granted
    assert session.summary is not None
    assert session.summary.timing == timing_lines(granted["measures"])


def test_memory_is_let_go_after_the_session(tmp_path: Path) -> None:
    if sys.platform != "linux":
        pytest.skip("memory is locked on Linux")
    run_here(tmp_path, {"engine": {"realtime": True}})
    status = Path("/proc/self/status").read_text().splitlines()
    assert [line.split()[1] for line in status if line.startswith("VmLck")] == ["0"]


def test_nothing_that_python_does_holds_the_loop_up(tmp_path: Path) -> None:
    """A call that keeps the GIL for half a second, as a collection of garbage does; the loop goes on."""
    if os.name != "posix":
        pytest.skip("needs usleep")
    with Rig(rig_config(tmp_path, {**ENDLESS, "record.video": None}), feed=False) as rig:
        rig.start()
        while rig.snapshot()["processed"] == 0:
            time.sleep(0.01)
        before = rig.snapshot()["processed"]
        ctypes.PyDLL(None).usleep(500_000)  # PyDLL: the GIL is not given away
        after = rig.snapshot()["processed"]
    assert after - before > 20  # of 100 frames; with a lock on Python's side it were none
