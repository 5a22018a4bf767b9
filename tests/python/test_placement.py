"""Which cores the loop, the other threads and the hosted processes get."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from fastpose.assembly.placement import Core, Placement, _numbers, _read_core, place, this_machine
from fastpose.config import Engine


def cores(*numbers: int, speed: int = 0) -> dict[int, Core]:
    return {number: Core(speed, frozenset({number})) for number in numbers}


def cpus(placement: Placement) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
    return placement.loop, placement.others, placement.hosts


def test_of_two_cores_the_loop_keeps_the_last() -> None:
    placement = place(Engine(), 1, cores(0, 1))
    assert cpus(placement) == ((1,), (0,), (0,))
    assert placement.keeps_a_core
    assert "core 1 is the loop's" in placement.said
    assert "1 hosted process" in placement.said


def test_processes_that_do_not_fit_beside_it_may_run_anywhere() -> None:
    placement = place(Engine(), 2, cores(0, 1))
    assert cpus(placement) == ((1,), (0,), ())
    assert "2 hosted processes may run on any: there are too few cores" in placement.said


@pytest.mark.parametrize("hosted", [0, 1, 2, 3])
def test_four_cores_hold_three_processes(hosted: int) -> None:
    assert cpus(place(Engine(), hosted, cores(0, 1, 2, 3))) == ((3,), (0, 1, 2), (0, 1, 2))


def test_the_core_that_was_asked_for() -> None:
    assert cpus(place(Engine(cpu=0), 1, cores(0, 1))) == ((0,), (1,), (1,))


def test_a_core_of_the_loop_without_keeping_the_others_off() -> None:
    assert cpus(place(Engine(cpu=0, affinity=False), 1, cores(0, 1))) == ((0,), (), ())
    assert cpus(place(Engine(cpu=0, realtime=False), 1, cores(0, 1))) == ((0,), (), ())


def test_without_a_priority_the_loop_can_flee() -> None:
    placement = place(Engine(), 1, cores(0, 1), fifo=False)
    assert cpus(placement) == ((), (0,), (0,))
    assert placement.compute == ()
    assert placement.ours
    assert not placement.keeps_a_core
    assert "not bound to it without SCHED_FIFO" in placement.said
    assert cpus(place(Engine(cpu=1), 1, cores(0, 1), fifo=False)) == ((1,), (0,), (0,))


def test_the_network_s_threads_keep_off_the_loop_s_core() -> None:
    assert place(Engine(), 2, cores(0, 1)).compute == (0,)


def test_one_core_is_shared() -> None:
    placement = place(Engine(), 1, cores(5))
    assert cpus(placement) == ((), (), ())
    assert placement.said == "one core, shared by all"


def test_off_means_that_nothing_is_placed() -> None:
    assert cpus(place(Engine(affinity=False), 1, cores(0, 1))) == ((), (), ())
    assert cpus(place(Engine(realtime=False), 1, cores(0, 1))) == ((), (), ())


def test_a_fast_core_goes_before_a_slow_one() -> None:
    mixed = cores(0, 1, speed=5_000_000) | cores(2, 3, speed=3_000_000)
    assert place(Engine(), 0, mixed).loop == (1,)


def test_the_sibling_is_kept_free_where_there_are_cores_enough() -> None:
    pairs = {number: Core(0, frozenset({number % 4, number % 4 + 4})) for number in range(8)}
    assert cpus(place(Engine(), 2, pairs)) == ((7,), (0, 1, 2, 4, 5, 6), (0, 1, 2, 4, 5, 6))
    assert cpus(place(Engine(), 6, pairs)) == ((7,), (0, 1, 2, 3, 4, 5, 6), (0, 1, 2, 3, 4, 5, 6))
    two = {number: Core(0, frozenset({0, 1})) for number in range(2)}
    assert cpus(place(Engine(), 0, two)) == ((1,), (0,), (0,))


def test_lists_of_the_kernel() -> None:
    assert _numbers("0-2,8\n") == {0, 1, 2, 8}
    assert _numbers("3") == {3}


def test_a_core_that_says_nothing_of_itself(tmp_path: Path) -> None:
    assert _read_core(4, tmp_path) == Core(0, frozenset({4}))
    folder = tmp_path / "cpu4"
    (folder / "cpufreq").mkdir(parents=True)
    (folder / "topology").mkdir()
    (folder / "cpufreq" / "cpuinfo_max_freq").write_text("4700000\n")
    (folder / "topology" / "thread_siblings_list").write_text("4,12\n")
    assert _read_core(4, tmp_path) == Core(4_700_000, frozenset({4, 12}))


def test_this_machine_has_the_cores_of_this_process() -> None:
    assert set(this_machine()) == os.sched_getaffinity(0)
