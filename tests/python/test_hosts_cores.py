"""Cores of hosted processes: few, and all for one that falls behind."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from fastpose.hosts.cores import Cores

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="threads are placed on Linux")

SCRIPT = """
import os, threading
from fastpose.hosts.cores import Cores
everything = os.sched_getaffinity(0)
first = min(everything)
cores = Cores([first])
assert cores.confined and os.sched_getaffinity(0) == {first}
started, over, seen = threading.Event(), threading.Event(), []
def run():
    seen.append(os.sched_getaffinity(0))
    started.set()
    over.wait()
    seen.append(os.sched_getaffinity(0))
thread = threading.Thread(target=run)
thread.start()
started.wait()
cores.spread()
over.set()
thread.join()
assert not cores.confined and os.sched_getaffinity(0) == everything
assert seen == [{first}, everything], seen
"""


def test_threads_follow() -> None:
    subprocess.run([sys.executable, "-c", SCRIPT], check=True, timeout=60)


def test_without_cores_nothing_changes() -> None:
    before = os.sched_getaffinity(0)
    assert not Cores(()).confined
    assert os.sched_getaffinity(0) == before
