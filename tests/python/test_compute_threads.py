"""Threads of a network's runtime: found while it loads, put off the loop's core, never real-time."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

import pytest

from fastpose.assembly import compute_threads
from fastpose.assembly.compute_threads import ComputeGrant, noting_compute_threads, place_compute_threads

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="threads are placed on Linux")


@pytest.fixture(autouse=True)
def nothing_found_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compute_threads, "_found", set())


class Worker:
    """A thread that Python's threading does not know, as those of a runtime."""

    def __init__(self) -> None:
        import _thread

        self._started, self._over = threading.Event(), threading.Event()
        self.task = 0
        _thread.start_new_thread(self._run, ())
        assert self._started.wait(10)

    def _run(self) -> None:
        self.task = threading.get_native_id()
        self._started.set()
        self._over.wait(30)

    def end(self) -> None:
        self._over.set()


def test_without_a_runtime_there_is_nothing_to_place() -> None:
    with noting_compute_threads():
        pass
    assert place_compute_threads([0]) == ComputeGrant()


def test_threads_that_appear_are_placed_and_python_s_own_are_not() -> None:
    core = min(os.sched_getaffinity(0))
    over = threading.Event()
    mine = threading.Thread(target=over.wait)
    with noting_compute_threads():
        worker = Worker()
        mine.start()
    try:
        grant = place_compute_threads([core])
        assert (grant.threads, grant.placed, grant.realtime_taken_away) == (1, 1, 0)
        assert os.sched_getaffinity(worker.task) == {core}
        assert mine.native_id is not None
        assert os.sched_getaffinity(mine.native_id) == os.sched_getaffinity(0)
    finally:
        worker.end()
        over.set()
        mine.join()


def test_a_realtime_priority_is_taken_away() -> None:
    with noting_compute_threads():
        worker = Worker()
    try:
        try:
            os.sched_setscheduler(worker.task, os.SCHED_FIFO, os.sched_param(10))
        except PermissionError:
            pytest.skip("SCHED_FIFO is not granted here")
        assert place_compute_threads([]).realtime_taken_away == 1
        assert os.sched_getscheduler(worker.task) == os.SCHED_OTHER
        assert place_compute_threads([]).realtime_taken_away == 0
    finally:
        worker.end()


def test_threads_that_ended_are_forgotten() -> None:
    with noting_compute_threads():
        worker = Worker()
    worker.end()
    for _ in range(100):
        if not os.path.exists(f"/proc/self/task/{worker.task}"):  # noqa: PTH110
            break
        threading.Event().wait(0.05)
    assert place_compute_threads([0]).threads == 0


OPENVINO = """
import os, threading
import numpy as np
from fastpose.assembly.compute_threads import _found, noting_compute_threads, place_compute_threads
from fastpose.model import load_model

model, frame = load_model("builtin:simulated_mouse", threads=2), np.zeros((120, 160), np.uint8)
with noting_compute_threads():
    model.estimate(frame)

def loop():
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(10))
    for _ in range(20):
        model.estimate(frame)

thread = threading.Thread(target=loop)
thread.start()
thread.join()
print(sorted(os.sched_getscheduler(task) for task in _found))
print(place_compute_threads([min(os.sched_getaffinity(0))]))
"""


def test_openvino_s_threads_do_not_inherit_the_loop_s_policy() -> None:
    pytest.importorskip("openvino")
    if len(os.sched_getaffinity(0)) < 2:
        pytest.skip("one core: there are no other threads")
    ended = subprocess.run([sys.executable, "-c", OPENVINO], capture_output=True, text=True, timeout=120)
    if "PermissionError" in ended.stderr:
        pytest.skip("SCHED_FIFO is not granted here")
    policies, grant = ended.stdout.splitlines()
    found = [int(word) for word in policies.strip("[]").split(",") if word.strip()]
    assert found, "OpenVINO made no thread of its own; " + ended.stderr
    assert set(found) == {os.SCHED_OTHER}
    assert f"placed={len(found)}" in grant
