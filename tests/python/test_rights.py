"""What the system grants a user, as it says itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from fastpose import _core
from fastpose.rights import (
    Budget,
    fifo_way_out,
    grants_fifo,
    locked_memory_limit,
    memory_way_out,
    realtime_budget,
)


@pytest.mark.parametrize(
    ("runtime_us", "share"), [(950_000, 0.95), (-1, 1.0), (0, 0.0), (1_000_000, 1.0), (2_000_000, 1.0)]
)
def test_budget_is_a_share_of_the_core(runtime_us: int, share: float) -> None:
    assert Budget(runtime_us, 1_000_000).share == share


def test_budget_says_what_the_kernel_does() -> None:
    said = str(Budget(950_000, 1_000_000))
    assert said.startswith("sched_rt_runtime_us is 950000 of 1000000")
    assert said.endswith("for 50 ms")
    assert "never" in str(Budget(-1, 1_000_000))


def test_budget_is_read_from_the_kernel(tmp_path: Path) -> None:
    assert realtime_budget(tmp_path) is None
    (tmp_path / "sched_rt_runtime_us").write_text("400000\n")
    (tmp_path / "sched_rt_period_us").write_text("500000\n")
    assert realtime_budget(tmp_path) == Budget(400_000, 500_000)


def test_the_engine_reads_the_same_budget() -> None:
    found = realtime_budget()
    if found is None:
        pytest.skip("this kernel says nothing of real-time threads")
    limits = _core.realtime_limits()
    assert (limits["runtime_us"], limits["period_us"]) == (found.runtime_us, found.period_us)
    assert limits["budget"] == pytest.approx(found.share)


def test_what_is_granted_can_be_asked() -> None:
    assert grants_fifo() in (True, False)
    limit = locked_memory_limit()
    assert limit is None or limit >= 0


def test_ways_out_name_the_file_and_the_capability() -> None:
    for text, right in ((fifo_way_out(), "rtprio"), (memory_way_out(), "memlock")):
        assert right in text
        assert "limits.conf" in text
        assert "CAP_" in text
