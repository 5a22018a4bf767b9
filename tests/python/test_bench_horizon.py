"""`horizon: auto` under stress: the network takes 5, 20, 5 ms, and the pose meets the animal all the same."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from benches.horizon.__main__ import main
from benches.horizon.stress import LATENCIES_MS, RATE_HZ, Stress, stress

SECTIONS = range(len(LATENCIES_MS))
MOST_MS = 0.05 * 1000 / RATE_HZ  # of change, from frame to frame


@pytest.fixture(scope="module")
def steady() -> Stress:
    return stress()


@pytest.fixture(scope="module")
def jittery() -> Stress:
    return stress(jitter_ms=1.5)


@pytest.mark.parametrize("section", SECTIONS)
def test_the_pose_is_nearer_to_the_animal_than_without(steady: Stress, section: int) -> None:
    latency_ms = LATENCIES_MS[section]
    assert steady.mean_px("auto", section) < (0.6 if latency_ms == 20 else 0.9) * steady.mean_px(
        "none", section
    )
    ideal = steady.mean_px(f"fixed {latency_ms} ms", section)
    assert steady.mean_px("auto", section) == pytest.approx(ideal, rel=0.02)


def test_over_all_it_beats_every_fixed_horizon(steady: Stress) -> None:
    others = [steady.mean_px(name) for name in steady.error_px if name != "auto"]
    assert steady.mean_px("auto") < min(others)


def test_it_goes_from_one_latency_to_the_next_and_never_beyond(steady: Stress) -> None:
    for section in SECTIONS[1:]:
        way = np.diff(steady.horizon_ms[steady.section == section])
        rises = LATENCIES_MS[section] > LATENCIES_MS[section - 1]
        assert ((way >= 0) if rises else (way <= 0)).all()  # nothing oscillates
    assert steady.horizon_ms.min() >= 2.5 - 1e-9  # what the network took at warm-up
    assert steady.horizon_ms.max() <= max(LATENCIES_MS) + 1e-9


def test_it_changes_no_faster_than_it_may(steady: Stress, jittery: Stress) -> None:
    for found in (steady, jittery):
        assert np.abs(np.diff(found.horizon_ms)).max() <= MOST_MS + 1e-6
    assert np.abs(np.diff(steady.horizon_ms)).max() > 0.2 * MOST_MS  # the step was there


def test_jitter_of_the_latency_does_not_shake_it(jittery: Stress) -> None:
    for section in SECTIONS:
        chosen = jittery.settled & (jittery.section == section)
        assert jittery.latency_ms[chosen].std() > 1.2
        assert jittery.horizon_ms[chosen].std() < 0.35
        assert jittery.horizon_ms[chosen].mean() == pytest.approx(LATENCIES_MS[section], abs=0.3)
        assert jittery.mean_px("auto", section) < jittery.mean_px("none", section)


def test_the_bench_writes_what_it_prints(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["--output", str(tmp_path / "horizon.json")])
    content = json.loads((tmp_path / "horizon.json").read_text(encoding="utf-8"))
    assert [each["latency_ms"] for each in content["settled"]] == list(LATENCIES_MS)
    assert "over all, px" in capsys.readouterr().out
