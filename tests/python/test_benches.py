"""The benches' arithmetic, tables and options; and one very short real run, of which no time is judged."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from benches import machine as machine_module
from benches import table
from benches.animals import __main__ as animals_bench
from benches.animals import timing
from benches.compare import deeplabcut_live
from benches.latency import zones
from benches.latency.__main__ import OUTPUT, measure, parse, report
from benches.latency.conditions import CONDITIONS, chosen
from benches.latency.report import Measured, results, targets, text
from benches.latency.segment import WARM_UP_FRAMES, Counts, Segment, read_segment
from benches.latency.spans import SPANS, ratios, summary
from benches.latency.workspace import Workspace

from fastpose import _core
from fastpose.session.frames import STAMPS

BY_NAME = {condition.name: condition for condition in CONDITIONS}
SMALL = {"frame_size": (128, 96), "input_size": (64, 64)}


def ns(*times_us: float) -> Any:
    return np.array([1000 * value for value in times_us], np.int64)


# --- percentiles and ratios ---


def test_summary_gives_percentiles_in_microseconds() -> None:
    found = summary(ns(*range(1001)))
    percentiles = {"p50_us": 500.0, "p90_us": 900.0, "p99_us": 990.0, "p99_9_us": 999.0, "max_us": 1000.0}
    assert found == percentiles | {"n": 1001}


def test_what_is_taken_away_from_a_core_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0, 10_000, 2_010_000, 2_020_000, 2_320_000, 3_010_000])
    monkeypatch.setattr(machine_module.time, "perf_counter_ns", lambda: next(clock))
    found = machine_module.taken_away(0.003)
    assert found == {"times_per_s": 1000.0, "share": 0.9967, "longest_us": 2000.0}


def test_summary_of_nothing_is_its_n() -> None:
    assert summary(ns()) == {"n": 0}


def test_ratio_is_taken_round_by_round() -> None:
    slow, base = [ns(10, 11, 12), ns(30), ns()], [ns(10), ns(10), ns(10)]
    assert ratios(slow, base) == {"median": 2.05, "min": 1.1, "max": 3.0, "rounds": 2}
    assert ratios([ns()], [ns(1)]) is None


# --- conditions and options ---


def test_conditions_keep_the_order_of_the_bench() -> None:
    assert [condition.name for condition in chosen("busy_cores,idle")] == ["idle", "busy_cores"]
    assert chosen("") == CONDITIONS


def test_every_baseline_is_a_condition_that_runs_before() -> None:
    names = [condition.name for condition in CONDITIONS]
    for condition in CONDITIONS:
        assert not condition.baseline or names.index(condition.baseline) < names.index(condition.name)


def test_parse() -> None:
    options = parse(["--seconds", "0.5", "--rounds", "2", "--conditions", "idle", "--output", "x.json"])
    assert (options.seconds, options.rounds, options.output) == (0.5, 2, Path("x.json"))
    assert [condition.name for condition in options.conditions] == ["idle"]
    assert parse([]).conditions == CONDITIONS
    assert parse([]).output == OUTPUT


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--conditions", "idel"], "'idel' is not known; allowed: idle, "),
        (["--rounds", "0"], "--rounds at least 1"),
    ],
)
def test_parse_refuses(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        parse(arguments)
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("name", [name for name in BY_NAME if not name.startswith("network")])
def test_configs_are_accepted(name: str, tmp_path: Path) -> None:
    condition = replace(BY_NAME[name], **SMALL)
    config = Workspace(tmp_path).config(condition, 0.02)
    assert (config.record.video is not None) == condition.record
    assert config.cameras["top"].driver == condition.camera
    assert config.protocol.type == condition.protocol


# --- zones ---


def test_comb_has_a_tooth_over_every_other_column() -> None:
    zone = _core.polygon_zone(zones.comb((1280, 1024), 32)["polygon"])
    inside = [zone.contains(40.0 * column + 20, 500.0) for column in range(31)]
    assert inside == [column % 2 == 0 for column in range(31)]


# --- sessions and counts ---


def write_frames(folder: Path, rows: int, **columns: list[Any]) -> None:
    """A frames.parquet whose stages take 1 us each."""
    data: dict[str, Any] = {"frame_id": list(range(rows)), "drop_reason": [""] * rows}
    for index, stamp in enumerate(STAMPS):
        data[stamp] = [1000 * index + 10**7 * row for row in range(rows)]
    data |= {name: [name == "processed"] * rows for name in ("processed", "recorded", "late")}
    pq.write_table(pa.table(data | columns), folder / "frames.parquet")


def test_read_segment_leaves_out_the_warm_up_and_rows_without_the_stamp(tmp_path: Path) -> None:
    rows = WARM_UP_FRAMES + 10
    acted = [None] * (rows - 4) + [10**7 * row + 8000 for row in range(rows - 4, rows)]
    write_frames(tmp_path, rows, acted_ns=pa.array(acted, pa.int64()))
    times, counts = read_segment(tmp_path, rows)
    assert times["exposure_start_to_acted"].tolist() == [8000] * 4
    assert times["received_to_dequeued"].tolist() == [1000] * 10
    assert (counts.exposures, counts.received, counts.processed, counts.recorded) == (rows, rows, rows, 0)


def test_read_segment_counts_drops_by_reason(tmp_path: Path) -> None:
    write_frames(
        tmp_path,
        4,
        drop_reason=["", "ring", "ring", "camera"],
        frame_id=pa.array([0, 1, 2, None], pa.int64()),
    )
    _, counts = read_segment(tmp_path, 4)
    assert counts.drops == {"ring": 2, "camera": 1}
    assert counts.received == 3


def segment(p50_us: float, **counts: Any) -> Segment:
    times = {span: ns(p50_us) for span in SPANS}
    return Segment(times, Counts(**counts), "finished", {"realtime": True})


def test_counts_add_up_over_the_rounds() -> None:
    measured = Measured(BY_NAME["recorder"])
    for _ in range(2):
        measured.segments.append(segment(1, exposures=10, received=9, recorded=7))
    found = results([measured])["recorder"]
    assert found["frames"]["exposures"] == 20
    assert found["lost"] == {"camera": 2, "recorder": 4}
    assert found["p50_ratio"] is None


def busy_beside_idle(*p50_us: float) -> dict[str, Any]:
    idle, busy = Measured(BY_NAME["idle"]), Measured(BY_NAME["python_thread"])
    idle.segments = [segment(100) for _ in p50_us]
    busy.segments = [segment(value) for value in p50_us]
    return results([idle, busy])


def test_ratio_to_the_baseline() -> None:
    assert busy_beside_idle(105, 110, 150)["python_thread"]["p50_ratio"] == {
        "to": "idle", "span": "dequeued_to_acted", "median": 1.1, "min": 1.05, "max": 1.5, "rounds": 3,
    }  # fmt: skip


def test_a_round_that_failed_is_told_and_compared_with_none() -> None:
    idle, busy = Measured(BY_NAME["idle"]), Measured(BY_NAME["python_thread"])
    idle.segments, idle.failures = [None, segment(100)], ["no memory"]
    busy.segments = [segment(500), segment(120)]
    found = results([idle, busy])
    assert found["python_thread"]["p50_ratio"]["median"] == 1.2
    assert found["idle"]["rounds"] == 1
    assert "! no memory" in text(found, [])


def test_targets_are_judged() -> None:
    assert [each["met"] for each in targets(busy_beside_idle(109))] == [True, True]
    assert [each["met"] for each in targets(busy_beside_idle(120))] == [True, False]
    nothing = Measured(BY_NAME["idle"], [None], ["no camera"])
    assert targets(results([nothing])) == []


# --- a real run ---


def test_a_real_run_has_an_edge_in_every_frame_and_loses_none(tmp_path: Path) -> None:
    # 25 frames: fewer than the ring holds for the encoder, so that no machine is too slow
    small = [replace(BY_NAME[name], rate_hz=50.0, **SMALL) for name in ("idle", "video_python_protocol")]
    measured = measure(tuple(small), seconds=0.5, rounds=1, folder=tmp_path)
    content = json.loads(json.dumps(report(measured, 0.5, {"cpu": "any"})))
    idle, video = content["conditions"].values()
    assert idle["failures"] == video["failures"] == []
    assert idle["spans"]["dequeued_to_acted"]["n"] >= idle["spans"]["dequeued_to_decided"]["n"] - 1 > 0
    assert video["spans"]["dequeued_to_acted"] == {"n": 0}
    assert video["spans"]["dequeued_to_decided"]["n"] > 0
    assert video["frames"]["recorded"] == video["frames"]["received"] == video["frames"]["exposures"] == 25
    assert list((tmp_path / "sessions").iterdir()) == []


# --- tables ---

MACHINE = {"cpu": "Some CPU", "cores": 2, "isa": "avx2", "system": "Linux", "python": "3.11"}
MACHINE |= {"load_average_1min": 0.1}
SETTINGS = {"seconds": 2.0, "rounds": 3, "exposure_ms": 2.0, "transfer_ms": 0.5}


def latency_report() -> dict[str, Any]:
    return {"machine": MACHINE, "settings": SETTINGS, "conditions": busy_beside_idle(105, 110, 150)}


def micro_report() -> dict[str, Any]:
    times = {"min_us": 1.0, "p99_us": 9.0, "n": 300}
    ratio = {"median": 12.3, "p10": 11.0, "p90": 14.0}
    return {
        "machine": MACHINE,
        "results": [
            {
                "case": "decode 5 bodyparts",
                "times": {"plain": times | {"p50_us": 2000.4}, "careful": times | {"p50_us": 31.0},
                          "fastpose auto": times | {"p50_us": 7.0},
                          "fastpose auto, in C++": times | {"p50_us": 5.0}},
                "faster_than": {"fastpose auto": {"plain": ratio, "careful": ratio | {"median": 4.4}},
                                "fastpose auto, in C++": {"careful": ratio | {"median": 6.2}}},
            }
        ],
    }  # fmt: skip


def cells(markdown: str, row: str) -> list[str]:
    line = next(line for line in markdown.splitlines() if line.startswith(f"| {row}"))
    return [cell.strip() for cell in line.strip("|").split(" | ")]


def test_latency_table() -> None:
    markdown = table.latency_table(latency_report())
    camera, *times, ratio, n, drops = cells(markdown, "busy Python thread")[1:]
    assert times == ["0.11", "0.15", "0.15", "0.15", "0.11", "0.15", "0.15"]
    assert (camera, ratio, n, drops) == ("1280x1024, 200 Hz", "1.10 (1.05-1.50)", "3", "0")
    assert "Some CPU, 2 cores" in markdown
    assert "load average" not in markdown


def test_latency_table_says_when_there_was_no_action_and_when_the_machine_was_busy() -> None:
    content = latency_report()
    content["conditions"]["idle"]["spans"]["dequeued_to_acted"] = {"n": 0}
    content["machine"] = MACHINE | {"load_average_1min": 3.2}
    markdown = table.latency_table(content)
    assert cells(markdown, "nothing beside it")[0].endswith("\\*")
    assert "to the decision" in markdown
    assert "load average 3.2" in markdown


def test_micro_table() -> None:
    markdown = table.micro_table(micro_report())
    assert cells(markdown, "decode")[1:] == [
        *("5", "7", "31", "2,000", "6.2 (11.0-14.0)", "", "4.4 (11.0-14.0)", "12.3 (11.0-14.0)")
    ]


def test_every_row_of_a_table_is_as_wide_as_its_header() -> None:
    for markdown in (table.latency_table(latency_report()), table.micro_table(micro_report())):
        rows = [line for line in markdown.splitlines() if line.startswith("|")]
        assert len({len(re.findall(r"\|", row)) for row in rows}) == 1


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "latency.json").write_text(json.dumps(latency_report()))
    tables = ["<!-- bench:latency -->\nold\n<!-- /bench -->", "<!-- bench:micro -->\nkept\n<!-- /bench -->"]
    (tmp_path / "README.md").write_text(f"# A\n{tables[0]}\nB\n{tables[1]}\n")
    return tmp_path


def run_table(folder: Path, *more: str) -> int:
    return table.main(["--readme", str(folder / "README.md"), "--results", str(folder), *more])


def test_table_is_written_between_its_markers(folder: Path) -> None:
    assert run_table(folder) == 0
    readme = (folder / "README.md").read_text()
    assert readme.startswith("# A\n<!-- bench:latency -->\n| beside the loop")
    assert "old" not in readme
    assert "<!-- /bench -->\nB\n<!-- bench:micro -->\nkept\n<!-- /bench -->\n" in readme


def test_check_fails_until_the_table_is_written(folder: Path) -> None:
    before = (folder / "README.md").read_text()
    assert run_table(folder, "--check") == 1
    assert (folder / "README.md").read_text() == before
    run_table(folder)
    assert run_table(folder, "--check") == 0


@pytest.mark.parametrize(
    ("readme", "said"),
    [("<!-- bench:speed -->\n<!-- /bench -->", "names no table"), ("<!-- bench:latency -->\n", "has no end")],
)
def test_markers_that_cannot_be_filled(folder: Path, readme: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        table.with_tables(readme, folder)
    (folder / "README.md").write_text(readme)
    assert run_table(folder) == 2


# --- several animals ---


def test_animals_are_timed_stage_by_stage() -> None:
    case = timing.Case(2, 3, (64, 48), all_pairs=False)
    assert case.limbs == [(0, 1), (1, 2)]
    found = timing.measure(case, calls=30)
    assert list(found) == ["assembly", "identity", "rules", "together"]
    assert all(numbers["n"] == 30 and numbers["p50_us"] > 0 for numbers in found.values())
    assert found["together"]["p50_us"] >= found["assembly"]["p50_us"]


def test_rounds_are_pooled() -> None:
    numbers = {"frames": 1000, "switches": 2, "crossings": 5, "crossings_held": 4, "right": 0.5}
    pooled = animals_bench._pooled([numbers, {**numbers, "switches": 4, "right": 1.0}])
    assert (pooled["switches_per_1000_frames"], pooled["crossings_held"], pooled["right"]) == (3.0, 8, 0.75)


# --- beside other tools ---


def test_dlclive_is_compared_round_by_round() -> None:
    found = deeplabcut_live.summary([[10, 20, 30], [40, 40, 40]], [[10, 10, 10], [10, 10, 10]])
    ratio = {"median": 0.375, "min": 0.25, "max": 0.5, "rounds": 2, "of_fastest": 1.0}
    assert found["ratio"] == ratio and found["original"]["n"] == 6
    row = {"network": "resnet_50", "case": "plain", "largest_difference": {"px": 3e-5}, **found}
    assert "ratio 0.38 (0.25-0.50, fastest 1.00)" in deeplabcut_live.table([row])
