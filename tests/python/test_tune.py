"""``fastpose tune``: what is measured, what is written, and that a run takes it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import quantised_package as made
from fastpose import cpu, load_model
from fastpose.check import check
from fastpose.cli import app
from fastpose.config import load_config
from fastpose.cpu import OtherPrograms, this_cpu
from fastpose.errors import ConfigError, ModelError
from fastpose.form_files import Tuned, read_tuned, write_tuned
from fastpose.model_forms import Form
from fastpose.model_package import read_model_package
from fastpose.tuning import Measured, _threads, best_of, tune, tuned_shapes
from rigs import run_here, write_rig

pytest.importorskip("openvino")
SHAPE = (1, 1, 64, 64)
TRACKED = {"track": True, "size": [64, 48]}


@pytest.fixture
def package(tmp_path: Path) -> Path:
    return made.copy_of_mouse(tmp_path / "mouse")


def measured(p50_ms: float, worst_ms: float, threads: int = 1) -> Measured:
    form = Form("onnx", "fp32", "fp32", Path("model.onnx"), "0" * 64)
    backend: Any = None
    return Measured(form, threads, False, backend, [p50_ms] * 9 + [worst_ms])


def call(*arguments: object) -> Any:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


# --- what is measured ---


def test_every_form_is_measured_and_written(package: Path) -> None:
    made.add_int8(package)
    steps: list[str] = []
    tuning = tune(package, [SHAPE, SHAPE], seconds=0.01, on_step=steps.append)
    forms = {"int8/int8", "onnx/fp32"} | ({"onnx/bf16"} if this_cpu().has_bf16 else set())
    found = read_tuned(package)[this_cpu().key]
    assert set(found) == forms
    for form in found.values():
        entry = form["1x1x64x64"]
        assert entry.threads in _threads(this_cpu().cores)
        assert entry.n >= 3 and 0 < entry.p50_ms <= entry.p99_ms
    assert found["onnx/fp32"]["1x1x64x64"].sha256 == made.digest(package / "model.onnx")
    assert found["int8/int8"]["1x1x64x64"].sha256 == made.digest(package / "model_int8.xml")
    (settings,) = tuning.best.values()
    assert [one.p50_ms for one in settings] == sorted(one.p50_ms for one in settings)
    assert steps[-1] == "1x1x64x64: the best of each form"


def test_a_form_over_its_budget_is_left_out_and_said(package: Path) -> None:
    made.add_int8(package, mean_px=0.9)
    tuning = tune(package, [SHAPE], seconds=0.01)
    assert "int8/int8" not in read_tuned(package)[this_cpu().key]
    assert "form int8 is left out: 0.9 px from fp32 (mean) is over the budget of 0.5 px" in tuning.notes


def test_the_lowest_median_wins_and_within_the_noise_the_lowest_tail() -> None:
    slow, fast, steady = measured(2.0, 2.0), measured(1.0, 9.0), measured(1.02, 1.5)
    assert best_of([slow, fast, steady]) is steady
    assert best_of([slow, fast]) is fast


@pytest.mark.parametrize(
    ("cores", "tried"), [(1, [1]), (2, [1, 2]), (6, [1, 2, 3, 4, 5, 6]), (24, [1, 2, 4, 8, 12, 16, 24])]
)
def test_numbers_of_threads(cores: int, tried: Sequence[int]) -> None:
    assert _threads(cores) == tried


def test_a_package_that_cannot_be_written(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "write_text", refuse)
    with pytest.raises(ModelError, match=r"tuned.json': Permission denied; copy the package"):
        tune(package, [SHAPE], seconds=0.01)


def test_other_programs_are_what_is_busy_but_not_us(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    clock = {"now": 0.0}
    monkeypatch.setattr("fastpose.cpu.time.perf_counter", lambda: clock["now"])
    monkeypatch.setattr(cpu, "_STAT", tmp_path / "stat")
    ticks = cpu.os.sysconf("SC_CLK_TCK")
    (tmp_path / "stat").write_text("cpu  1000 0 0 500 0 0 0 0\n")
    others = OtherPrograms()
    clock["now"] = 10.0
    (tmp_path / "stat").write_text(f"cpu  {1000 + 15 * ticks} 0 0 900 0 0 0 0\n")
    busy = others.busy_cores()
    assert busy == pytest.approx(1.5, abs=0.1)
    (tmp_path / "stat").unlink()
    assert others.busy_cores() is None


# --- sizes ---


def test_sizes_of_a_config_are_its_frame_and_its_roi(package: Path, tmp_path: Path) -> None:
    config = load_config(write_rig(tmp_path, {"model.path": str(package), "model.roi": TRACKED}))
    assert tuned_shapes(read_model_package(package), config=config) == [(1, 1, 120, 160), (1, 1, 48, 64)]


def test_sizes_of_the_command_line_are_rounded_up_to_what_the_network_takes(package: Path) -> None:
    read = read_model_package(package)
    with pytest.raises(ConfigError, match=r"input_size is \[100, 60\]; allowed: multiples of 8"):
        tuned_shapes(read, input_sizes=[(100, 60)])
    assert tuned_shapes(read, input_sizes=[(104, 64)]) == [(1, 1, 64, 104)]


def test_without_a_size_that_of_the_training_is_taken(package: Path) -> None:
    read = read_model_package(package)
    known = read.model_copy(update={"training_size": (320, 240)})
    assert tuned_shapes(known) == [(1, 1, 240, 320)]
    with pytest.raises(ConfigError, match="give --input-size"):
        tuned_shapes(read.model_copy(update={"training_size": None}))


def test_a_config_of_another_network(package: Path, tmp_path: Path) -> None:
    config = load_config(write_rig(tmp_path))
    with pytest.raises(ConfigError, match="the config runs another network"):
        tuned_shapes(read_model_package(package), config=config)


# --- the command line ---


def test_the_command_prints_a_table(package: Path, tmp_path: Path) -> None:
    result = call("tune", package, "--input-size", "64x64", "--seconds", "0.1")
    assert result.exit_code == 0, result.output
    assert result.stdout.split()[:4] == ["input", "form", "threads", "pinned"]
    assert "1x1x64x64" in result.stdout and "onnx/fp32" in result.stdout
    assert this_cpu().key in result.stdout
    config = write_rig(tmp_path, {"model.path": str(package)})
    assert call("tune", "--config", config, "--seconds", "0.1").exit_code == 0
    assert set(read_tuned(package)[this_cpu().key]["onnx/fp32"]) == {"1x1x64x64", "1x1x120x160"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--input-size", "640"], "--input-size is '640'; allowed: WIDTHxHEIGHT"),
        (["--input-size", "0x64"], "--input-size is '0x64'"),
    ],
)
def test_words_that_do_not_fit(package: Path, arguments: list[str], said: str) -> None:
    result = call("tune", package, *arguments)
    assert result.exit_code == 2 and said in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


def test_neither_package_nor_config() -> None:
    result = call("tune")
    assert result.exit_code == 2 and "no model package is given" in result.stderr


# --- what a run makes of it ---


def tuned_as(package: Path, threads: int, *, pinned: bool, **p50_ms: float) -> None:
    for key, ms in p50_ms.items():
        entry = Tuned(threads=threads, pinned=pinned, p50_ms=ms, p99_ms=ms, n=9)
        write_tuned(package, this_cpu().key, {key.replace("_", "/"): {"1x1x120x160": entry}})


def test_a_run_takes_the_tuned_threads_and_says_so(package: Path, tmp_path: Path) -> None:
    made.add_int8(package)
    tuned_as(package, 1, pinned=False, int8_int8=1.0, onnx_fp32=2.0, onnx_bf16=2.0)
    changes = {"model.path": str(package), "model.device": "cpu", "cameras.top.frames_total": 20}
    session = run_here(tmp_path, changes)
    (ran,) = session.json["model"]["runs"]
    assert (ran["form"], ran["precision"], ran["file"]) == ("int8", "int8", "model_int8.xml")
    assert (ran["threads"], ran["pinned"], ran["threads_by"]) == (1, False, "tuned.json")
    assert (ran["input"], ran["mean_px_from_fp32"]) == ("1x1x120x160", 0.21)
    assert session.summary is not None
    assert session.summary.network == "int8 (0.21 px from fp32), 1 thread, not pinned"
    assert session.summary.hint == ""
    assert f"network: {session.summary.network}" in session.log_text


def test_a_run_without_measurements_says_that_there_are_none(package: Path, tmp_path: Path) -> None:
    changes = {"model.path": str(package), "model.device": "cpu", "cameras.top.frames_total": 5}
    session = run_here(tmp_path, changes)
    assert session.json["model"]["runs"][0]["threads_by"] == "runtime"
    assert session.summary is not None
    assert f"fastpose tune {package}" in session.summary.hint
    assert session.log_text.count("fastpose tune") == 1


def test_sizes_that_run_differently_are_told_apart(package: Path, tmp_path: Path) -> None:
    made.add_int8(package)
    tuned_as(package, 1, pinned=False, int8_int8=3.0, onnx_fp32=2.0, onnx_bf16=2.5)
    roi = {"track": True, "size": [64, 64], "margin_px": 5}
    changes = {"model.path": str(package), "model.device": "cpu", "model.roi": roi}
    session = run_here(tmp_path, {**changes, "model.threads": 1, "cameras.top.frames_total": 5})
    forms = {ran["part"]: ran["form"] for ran in session.json["model"]["runs"]}
    assert forms == {"frame": "onnx", "roi": "int8" if this_cpu().has_int8 else "onnx"}
    assert {ran["threads_by"] for ran in session.json["model"]["runs"]} == {"config"}


def test_check_says_what_would_run(package: Path, tmp_path: Path) -> None:
    made.add_int8(package)
    changes = {"model.path": str(package), "model.device": "cpu"}
    config = load_config(write_rig(tmp_path, changes))
    (before,) = [found for found in check(config) if found.path == "model.precision"]
    assert "not tuned on this machine: fastpose tune" in before.text
    tuned_as(package, 1, pinned=True, int8_int8=1.0, onnx_fp32=2.0, onnx_bf16=2.0)
    (after,) = [found for found in check(config) if found.path == "model.precision"]
    assert after.text == "auto: int8 (0.21 px from fp32), 1 thread, pinned (tuned.json)"
    assert after.level == "ok"


def test_check_refuses_an_int8_form_over_its_budget(package: Path, tmp_path: Path) -> None:
    made.add_int8(package, mean_px=0.7)
    changes = {"model.path": str(package), "model.device": "cpu", "model.precision": "int8"}
    config = load_config(write_rig(tmp_path, changes))
    problems = [found for found in check(config) if found.level == "problem"]
    assert [found.path for found in problems] == ["model.accept_parity"]
    assert "0.7 px from fp32 (mean) is over the budget of 0.5 px" in problems[0].text
    with pytest.raises(ModelError, match="over the budget"):
        run_here(tmp_path, changes)
    accepted = run_here(tmp_path, {**changes, "model.accept_parity": True, "cameras.top.frames_total": 5})
    assert accepted.json["model"]["runs"][0]["form"] == "int8"


def test_check_says_once_that_a_form_is_missing(package: Path, tmp_path: Path) -> None:
    changes = {"model.path": str(package), "model.device": "cpu", "model.precision": "int8"}
    config = load_config(write_rig(tmp_path, changes))
    (problem,) = [found for found in check(config) if found.level == "problem"]
    assert problem.path == "model.path" and "fastpose optimize" in problem.text


def test_models_take_the_tuned_threads_but_share_the_cores(package: Path) -> None:
    tuned_as(package, 1, pinned=True, onnx_fp32=1.0, onnx_bf16=2.0)
    model = load_model(package)
    model.estimate(np.zeros((120, 160), np.uint8))
    assert "fp32, 1 thread, not pinned" in repr(model) or "bf16, 1 thread, not pinned" in repr(model)
    assert json.loads((package / "tuned.json").read_text())["schema"] == 1
