"""Kept plans: found again, made again where anything differs or is damaged, never in the way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fastpose.cache import cache_in
from fastpose.cuda import engine_cache
from fastpose.cuda.engine_cache import keep_extra, kept_plan
from fastpose.cuda.runtime import Gpu, Job
from gpu_fakes import GPU, JOB, FakeRuntime


@pytest.fixture(autouse=True)
def cache(tmp_path: Path) -> Iterator[Path]:
    with cache_in(tmp_path / "cache"):
        yield tmp_path / "cache" / "engines"


def plan(runtime: FakeRuntime, job: Job = JOB, gpu: Gpu = GPU) -> engine_cache.Plan:
    return kept_plan(runtime, job, gpu, lambda: runtime.build(job, gpu, lambda *_: None))


def test_a_plan_is_built_once(cache: Path) -> None:
    runtime = FakeRuntime()
    first, second = plan(runtime), plan(runtime)
    assert (first.cached, second.cached, runtime.built) == (False, True, 1)
    assert second.content == first.content and second.note == ""
    assert [file.suffix for file in cache.iterdir()] == [".plan"]


@pytest.mark.parametrize(
    "change",
    [
        {"job": {"sha256": "cd" * 32}},
        {"job": {"precision": "fp32"}},
        {"job": {"input_shape": (1, 3, 64, 128)}},
        {"job": {"outputs": ("heatmap",)}},
        {"gpu": {"name": "Other GPU"}},
        {"gpu": {"capability": (8, 6)}},
        {"gpu": {"driver": "13.1"}},
        {"runtime": {"version": "1.1"}},
        {"runtime": {"name": "other"}},
    ],
    ids=str,
)
def test_whatever_it_depends_on_makes_another(change: dict[str, dict[str, Any]]) -> None:
    runtime = FakeRuntime()
    plan(runtime)
    other = replace(runtime, **change.get("runtime", {}))
    found = plan(other, replace(JOB, **change.get("job", {})), replace(GPU, **change.get("gpu", {})))
    assert not found.cached and other.built == 2


@pytest.mark.parametrize("harm", ["flip", "cut", "empty", "no json", "head of another"])
def test_a_damaged_plan_is_built_again_and_that_is_said(cache: Path, harm: str) -> None:
    runtime = FakeRuntime()
    good = plan(runtime)
    assert good.file is not None
    content = bytearray(good.file.read_bytes())
    content[-3] ^= 4
    harmed = {
        "flip": bytes(content),
        "cut": good.file.read_bytes()[:-4],
        "empty": b"",
        "no json": b"garbage\nplan",
        "head of another": good.file.read_bytes().replace(b'"fp16"', b'"fp32"'),
    }
    good.file.write_bytes(harmed[harm])
    again = plan(runtime)
    assert not again.cached and runtime.built == 2
    assert again.note.startswith("engine cache: '") and again.note.endswith("; built again")
    assert plan(runtime).cached


def test_a_cache_that_cannot_be_written_costs_time_alone(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    runtime = FakeRuntime()
    with cache_in(tmp_path / "file"):
        first, second = plan(runtime), plan(runtime)
    assert not second.cached and runtime.built == 2
    assert "cannot be written" in first.note and first.note.endswith("the engine is built every time")


def test_an_error_of_the_build_leaves_nothing_behind(cache: Path) -> None:
    def fails() -> bytes:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        kept_plan(FakeRuntime(), JOB, GPU, fails)
    assert not cache.exists()


def test_what_the_first_run_adds_is_kept_beside_the_plan() -> None:
    runtime = FakeRuntime()
    first = plan(runtime)
    keep_extra(first, runtime, JOB, GPU, b"kernels")
    found = plan(runtime)
    assert (found.content, found.extra, found.cached) == (first.content, b"kernels", True)


def test_the_oldest_go_when_there_is_no_room(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    runtime = FakeRuntime()
    jobs = [replace(JOB, sha256=f"{number}" * 64) for number in range(4)]
    files = [plan(runtime, job).file for job in jobs[:3]]
    for age, file in enumerate(files):
        assert file is not None
        os.utime(file, ns=(age, age))
    assert files[0] is not None
    monkeypatch.setattr(engine_cache, "ROOM_BYTES", 3 * files[0].stat().st_size)
    newest = plan(runtime, jobs[3]).file
    assert {file.name for file in cache.iterdir()} == {
        file.name for file in (newest, files[2], files[1]) if file is not None
    }


def test_a_runtime_without_plans_keeps_none(cache: Path) -> None:
    runtime = FakeRuntime(keeps_plans=False)
    plan(runtime), plan(runtime)
    assert runtime.built == 2 and not cache.exists()
