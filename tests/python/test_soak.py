"""The soak bench: what counts as growth, and one short session whose numbers mean nothing."""

from __future__ import annotations

import json
from pathlib import Path

import psutil
import pytest
from benches.soak.__main__ import LOOKS, main, parse
from benches.soak.watch import LIMITS, Held, Watch, growth


def looks(memory: list[int], handles: int = 20, threads: int = 6) -> list[Held]:
    return [Held(number * 100, value, handles, threads) for number, value in enumerate(memory)]


def test_a_start_and_an_end_are_no_growth() -> None:
    settled = [100 << 20] * 6 + [180 << 20] * 40 + [190 << 20] * 4
    assert growth(looks(settled))["grew"] == []


def test_a_slow_leak_is_growth() -> None:
    found = growth(looks([(100 << 20) + number * (200 << 10) for number in range(50)]))
    assert found["grew"] == ["memory_bytes"]
    assert found["memory_bytes"] == 30 * (200 << 10)  # from the middle of the 2nd fifth to that of the last


def test_one_handle_or_thread_more_is_growth() -> None:
    early, late = looks([1 << 20] * 25), looks([1 << 20] * 25, handles=21, threads=7)
    found = growth(early + late)
    assert found["grew"] == ["handles", "threads"]
    assert set(LIMITS) <= set(found)


def test_too_few_looks_tell_nothing() -> None:
    assert growth(looks([1, 2, 3]))["grew"] == ["unknown: fewer than 10 looks"]


def test_the_watch_sees_what_this_process_holds(tmp_path: Path) -> None:
    watch = Watch()
    watch.look(1)
    with (tmp_path / "a").open("w"), (tmp_path / "b").open("w"):
        ballast = bytearray(b"x" * (32 << 20))
        watch.look(2)
    first, second = watch.held["engine"]
    assert second.handles == first.handles + 2
    assert second.memory_bytes - first.memory_bytes > 24 << 20
    assert first.threads == psutil.Process().num_threads()
    assert len(ballast) == 32 << 20


@pytest.mark.parametrize("arguments", [["--frames", "3"], ["--rate-hz", "0"], ["--codec", "vp9"]])
def test_options_that_make_no_sense(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse(arguments)
    assert "usage" in capsys.readouterr().err


def test_a_short_soak_accounts_for_every_exposure(tmp_path: Path) -> None:
    """Its growth is that of a start, and not judged."""
    output = tmp_path / "results" / "soak.json"
    arguments = ["--frames", "2000", "--rate-hz", "1000", "--codec", "ffv1", "--folder", str(tmp_path)]
    main([*arguments, "--output", str(output)])
    content = json.loads(output.read_text())
    assert content["counts"]["processed"] == 2000 and content["counts"]["lost_records"] == 0
    assert content["ended"] == "finished"
    assert set(content["held"]) == {"engine", "encoder"}
    assert not [problem for problem in content["problems"] if "rows" in problem or "video" in problem]
    assert 3 <= len(content["held"]["engine"]["looks"]) <= LOOKS + 1  # a slow machine looks less often
    assert [path.name for path in tmp_path.iterdir()] == ["results"]
