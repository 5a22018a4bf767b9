"""The grab bench: one short run of two drivers, of which no time is judged; what is absent is said."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from benches.grab.__main__ import main, parse, run, text
from benches.grab.sources import SOURCES, Source
from benches.grab.table import grab_table


def test_a_report_of_two_sources(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "grab.json"
    main(["--seconds", "1", "--sources", "sim,memory", "--output", str(output)])
    content = json.loads(output.read_text())
    assert content["size"] == [1280, 1024]
    assert list(content["sources"]) == ["sim", "memory"]
    for found in content["sources"].values():
        assert found["received_to_dequeued"]["n"] > 0
        assert found["received_to_dequeued"]["p50_us"] > 0
    assert content["sources"]["memory"]["queued"]["n"] > 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("sim ") and "with wake-up: p50" in lines[0]
    assert "| simulated camera, C++ |" in grab_table(content)


def test_what_cannot_work_is_told() -> None:
    source = Source("none", "no camera", lambda folder, frames: {}, absent=lambda: "there is none")
    found = run(source, 10)
    assert found["absent"] == "there is none"
    assert text("none", found) == "none       absent: there is none"


def test_sources_are_chosen_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert parse([]).sources == SOURCES
    with pytest.raises(SystemExit):
        parse(["--sources", "webcam"])
    assert "source 'webcam' is not known; allowed: sim, memory" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        parse(["--seconds", "0.1"])
