"""The jitter bench's variants and arithmetic; one very short real run, of which no time is judged."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from benches.jitter.__main__ import add_to, measure, parse, results, text
from benches.jitter.variants import SCENARIOS, VARIANTS, Scenario, chosen, condition_of
from benches.latency.segment import Counts, Segment
from benches.latency.spans import SPANS

from fastpose.config import Engine

BY_NAME = {scenario.name: scenario for scenario in SCENARIOS}


def test_variants_are_settings_of_the_engine() -> None:
    for settings in VARIANTS.values():
        Engine(**dict(settings))
    assert condition_of(BY_NAME["idle"], "no_fifo").engine == (("fifo", False),)


def test_scenarios_by_name() -> None:
    assert chosen("network,idle") == (BY_NAME["idle"], BY_NAME["network"])
    assert chosen("") == SCENARIOS
    with pytest.raises(ValueError, match="'moon' is not known"):
        chosen("moon")
    with pytest.raises(SystemExit):
        parse(["--scenarios", "moon"])


def segment(times_us: list[float], *, network_us: float = 0) -> Segment:
    times: dict[str, Any] = {span: np.array([1000 * t for t in times_us], np.int64) for span in SPANS}
    times["preprocessed_to_inferred"] = np.full(len(times_us), int(1000 * network_us), np.int64)
    return Segment(times, Counts(drops=Counter(ring=1)), "finished", {"fifo": "granted"})


def test_each_variant_is_compared_with_none_round_by_round() -> None:
    segments = {name: [segment([10, 10, 10], network_us=4)] * 2 for name in VARIANTS}
    segments["none"] = [segment([20, 20, 20]), segment([40, 40, 40])]
    found = results(BY_NAME["idle"], segments)["variants"]["all"]
    assert found["p50_over_none"] == {"median": 0.375, "min": 0.25, "max": 0.5, "rounds": 2}
    assert found["p99_over_p50"] == {"median": 1.0, "min": 1.0, "max": 1.0}
    assert found["outside_network"]["p50_us"] == 6
    assert found["drops"] == {"ring": 2}
    assert "all" in text("idle", results(BY_NAME["idle"], segments))


def test_entries_are_added_to_the_file(tmp_path: Path) -> None:
    path = tmp_path / "results" / "jitter.json"
    add_to(path, "scenarios", "idle", {"n": 1})
    add_to(path, "memory", "fake", {"n": 2})
    assert json.loads(path.read_text()) == {
        "bench": "jitter",
        "scenarios": {"idle": {"n": 1}},
        "memory": {"fake": {"n": 2}},
    }


def test_a_very_short_run(tmp_path: Path) -> None:
    small = replace(BY_NAME["garbage"].condition, frame_size=(128, 96), input_size=(64, 64))
    scenario = Scenario("garbage", "", small)
    found = results(scenario, measure(scenario, seconds=0.3, rounds=1, folder=tmp_path))
    assert set(found["variants"]) == set(VARIANTS)
    assert all(variant["spans"]["received_to_acted"]["n"] > 0 for variant in found["variants"].values())
    assert found["variants"]["none"]["granted"]["fifo"] == "not_asked"
