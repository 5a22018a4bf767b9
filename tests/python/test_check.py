"""What a check finds before a run, on this machine and with what a user has plugged in."""

from __future__ import annotations

import importlib
import importlib.metadata
import json
import os
import pty
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from fastpose import check_machine
from fastpose.check import Finding, check, raise_problems
from fastpose.config import Config, Engine, Model, load_config
from fastpose.errors import (
    CameraError,
    ConfigError,
    DeviceError,
    FastposeError,
    ModelError,
    OutputError,
    RecordError,
)
from fastpose.rights import Budget
from sample_config import write_config, write_package

pytest.importorskip("av")


@pytest.fixture(autouse=True)
def engine_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """These tests look at configs; whether the engine was built is a test of its own."""
    monkeypatch.setattr("fastpose.check.check_platform", lambda: iter(()))


def problems_of(config: Config, **options: Any) -> list[str]:
    return [str(finding) for finding in check(config, **options) if finding.level == "problem"]


def problem_of(tmp_path: Path, path: str, value: Any, **options: Any) -> str:
    (problem,) = problems_of(load_config(write_config(tmp_path, path, value)), **options)
    assert len(problem.splitlines()) == 1
    return problem


def serial(port: str) -> dict[str, Any]:
    return {"driver": "serial", "port": port, "max_on_ms": 100}


@pytest.fixture
def port() -> Iterator[str]:
    """A pseudo-terminal: as good as a serial port."""
    ours, theirs = pty.openpty()
    yield os.ttyname(theirs)
    os.close(ours)
    os.close(theirs)


def video_file(path: Path) -> Path:
    """Write three frames of 64x48."""
    import av
    import numpy as np

    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=10, width=64, height=48, pix_fmt="gray")
        for _ in range(3):
            container.mux(
                stream.encode(av.VideoFrame.from_ndarray(np.zeros((48, 64), np.uint8), format="gray"))
            )
        container.mux(stream.encode())
    return path


def test_a_good_config_has_no_problem(tmp_path: Path) -> None:
    findings = check(load_config(write_config(tmp_path)))
    assert [finding for finding in findings if finding.level == "problem"] == []
    texts = {finding.path: finding.text for finding in findings}
    assert texts["cameras.top"] == "simulated mouse, 640x480 px, 100 Hz"
    assert texts["model.path"].startswith("sample: 5 body parts (snout, leftear, rightear, center, tailbase)")
    assert "can be written" in texts["session.directory"]
    assert not (tmp_path / "sessions").exists()
    raise_problems(findings)


def test_a_missing_model(tmp_path: Path) -> None:
    problem = problem_of(tmp_path, "model.path", "packag")
    assert problem.startswith(
        f"model.path: model package '{tmp_path}/packag': no such folder (did you mean 'package'?)"
    )


def test_a_body_part_that_the_model_lacks(tmp_path: Path) -> None:
    problem = problem_of(tmp_path, "rules.in_corner.bodyparts", ["snout", "tailbse"])
    assert problem == (
        "rules.in_corner.bodyparts: no body part 'tailbse' (did you mean 'tailbase'?); "
        "allowed: snout, leftear, rightear, center, tailbase"
    )


def test_a_body_part_of_a_speed_rule(tmp_path: Path) -> None:
    rule = {"type": "speed", "bodypart": "nose", "above_px_s": 5}
    assert problem_of(tmp_path, "rules.r", rule).startswith(
        "rules.r.bodypart: no body part 'nose'; allowed: snout,"
    )


def test_an_individual_that_the_model_lacks(tmp_path: Path) -> None:
    problem = problem_of(tmp_path, "rules.in_corner.individual", 1)
    assert (
        problem
        == "rules.in_corner.individual: 1 is not among the 1 of the network; allowed: any, all, 0 to 0"
    )


def test_an_individual_by_a_name_that_the_model_lacks(tmp_path: Path) -> None:
    path = write_config(tmp_path, "rules.in_corner.individual", "mouse3")
    write_package(tmp_path / "package", individuals=["mouse1", "mouse2"])
    (found,) = [finding for finding in check(load_config(path)) if finding.level == "problem"]
    assert found.path == "rules.in_corner.individual"
    assert found.text == (
        "no individual 'mouse3' (did you mean 'mouse2'?); allowed: any, all, mouse1, mouse2, 0 to 1"
    )


@pytest.mark.parametrize("individual", ["any", "all", "mouse2", 1])
def test_an_individual_that_the_model_has(tmp_path: Path, individual: int | str) -> None:
    path = write_config(tmp_path, "rules.in_corner.individual", individual)
    write_package(tmp_path / "package", individuals=["mouse1", "mouse2"])
    assert [finding for finding in check(load_config(path)) if finding.level == "problem"] == []


def over_budget(tmp_path: Path, *, accept: bool) -> list[Finding]:
    path = write_config(tmp_path, "model.accept_parity", accept)
    numbers = {"cpu": {"fp32": {"mean_px": 0.9, "max_px": 1.0}}}
    (tmp_path / "package" / "parity.json").write_text(json.dumps(numbers))
    return [finding for finding in check(load_config(path)) if finding.path == "model.accept_parity"]


def test_a_model_over_its_pixel_budget(tmp_path: Path) -> None:
    (finding,) = over_budget(tmp_path, accept=False)
    assert finding.level == "problem"
    assert finding.text.endswith(
        "(cpu fp32: mean_px 0.9 is over the budget of 0.5 px); "
        "import it again, or say accept_parity: true to use it as it is"
    )
    with pytest.raises(ModelError):
        raise_problems([finding])


def test_a_model_over_its_pixel_budget_that_the_config_accepts(tmp_path: Path) -> None:
    (finding,) = over_budget(tmp_path, accept=True)
    assert finding.level == "warning"


def test_a_model_whose_parity_was_never_measured(tmp_path: Path) -> None:
    path = write_config(tmp_path, "model.device", "cpu")
    warnings = [finding.text for finding in check(load_config(path)) if finding.level == "warning"]
    assert any("sample: parity was never measured" in text for text in warnings)


def test_an_input_size_that_the_network_does_not_take(tmp_path: Path) -> None:
    problem = problem_of(tmp_path, "model.input_size", [256, 250])
    assert problem == "model.input_size: [256, 250] does not suit the network; allowed: multiples of 8"


def test_a_missing_video(tmp_path: Path) -> None:
    problem = problem_of(tmp_path, "cameras.top", {"driver": "video", "path": "gone.mp4"})
    assert problem.startswith("cameras.top.path: ")
    assert f"'{tmp_path}/gone.mp4' does not exist" in problem


def test_a_file_that_is_no_video(tmp_path: Path) -> None:
    problem = problem_of(tmp_path, "cameras.top", {"driver": "video", "path": "config.yaml"})
    assert problem.startswith(f"cameras.top.path: '{tmp_path}/config.yaml' ")


def test_a_zone_outside_the_frame_of_a_video(tmp_path: Path) -> None:
    video_file(tmp_path / "small.mkv")
    problem = problem_of(tmp_path, "cameras.top", {"driver": "video", "path": "small.mkv"})
    assert problem == (
        "zones.corner: (200, 0) is outside the frame of camera 'top'; allowed: x from 0 to 64, y from 0 to 48"
    )


def test_a_port_that_is_not_there(tmp_path: Path) -> None:
    problem = problem_of(tmp_path, "outputs.laser", serial("/dev/ttyNOWHERE"))
    assert problem.startswith("outputs.laser.port: '/dev/ttyNOWHERE' cannot be opened (no such file)")


def test_a_port_that_is_no_port(tmp_path: Path) -> None:
    problem = problem_of(tmp_path, "outputs.laser", serial("/dev/null"))
    assert problem.startswith("outputs.laser.port: '/dev/null' cannot be opened (no serial port)")


def test_a_port_that_opens(tmp_path: Path, port: str) -> None:
    config = load_config(write_config(tmp_path, "outputs.laser", serial(port)))
    texts = [str(finding) for finding in check(config)]
    assert f"outputs.laser.port: '{port}' opens" in texts


def test_a_run_leaves_ports_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, port: str) -> None:
    config = load_config(write_config(tmp_path, "outputs.laser", serial(port)))
    monkeypatch.setattr("fastpose.check.check_session_directory", lambda *_: iter(()))
    with monkeypatch.context() as during:
        during.setattr(os, "open", lambda *_, **__: pytest.fail("the port was opened"))
        assert problems_of(config, probe_outputs=False) == []


@pytest.mark.parametrize("directory", ["/proc/sessions", "config.yaml/sessions"])
def test_a_directory_that_cannot_be_written(tmp_path: Path, directory: str) -> None:
    problem = problem_of(tmp_path, "session.directory", str(tmp_path / directory))
    assert problem.startswith(f"session.directory: '{tmp_path / directory}' cannot be ")
    assert problem.endswith("allowed: a folder that can be written")


class Disk(NamedTuple):
    """As shutil.disk_usage gives it."""

    total: int
    used: int
    free: int


def test_a_disk_too_small_for_the_session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Disk(10**9, 0, 10**8))
    problem = problem_of(tmp_path, "session.duration_s", 36000)
    assert problem.startswith("session.directory: ")
    assert problem.endswith("the session lasts 10.0 h: free some space")
    assert problems_of(load_config(write_config(tmp_path, "session.duration_s", 1))) == []


def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Disk(10**12, 0, 10**8))
    problem = problem_of(tmp_path, "session.duration_s", 1)
    assert problem.endswith("its disk is full, 95 MiB are free; allowed: more than 256 MiB")


def test_a_disk_that_is_nearly_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Disk(10**12, 0, 10**10))
    found = check(load_config(write_config(tmp_path, "session.duration_s", 1)))
    told = [finding for finding in found if finding.path == "session.directory"]
    assert [finding.level for finding in told] == ["warning"]
    assert told[0].text.endswith("the disk is nearly full")


PROTOCOL = "class Mine:\n    pass\n"


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (PROTOCOL, ""),
        (PROTOCOL.replace("Mine", "Mime"), "no class 'Mine' (did you mean 'Mime'?); allowed: Mime, in '"),
        ("class Mine", "is not Python: expected ':'"),
        (None, "cannot be read (No such file or directory); allowed: FILE.py:Class"),
    ],
)
def test_a_protocol_in_python(tmp_path: Path, source: str | None, text: str) -> None:
    if source is not None:
        (tmp_path / "mine.py").write_text(source)
    value = {"type": "python", "path": "mine.py:Mine"}
    if text:
        assert text in problem_of(tmp_path, "protocol", value)
    else:
        assert problems_of(load_config(write_config(tmp_path, "protocol", value))) == []


def test_a_compiled_protocol_that_is_not_there(tmp_path: Path) -> None:
    problem = problem_of(tmp_path, "protocol", {"type": "cython", "module": "nowhere.lick"})
    assert problem.startswith("protocol.module: no module 'nowhere.lick'")


@pytest.mark.parametrize("codec", ["libx265000", "aac"])
def test_an_encoder_that_is_none(tmp_path: Path, codec: str) -> None:
    problem = problem_of(tmp_path, "record.video", {"codec": codec})
    assert problem.startswith(f"record.video.codec: no video encoder '{codec}'")


@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("cameras.top.path", CameraError),
        ("model.path", ModelError),
        ("model.device", DeviceError),
        ("outputs.laser.port", OutputError),
        ("session.directory", RecordError),
        ("record.video.codec", RecordError),
        ("rules.r", ConfigError),
    ],
)
def test_the_error_fits_the_problem(path: str, error: type[FastposeError]) -> None:
    findings = [Finding("ok", "a", "b"), Finding("problem", path, "x"), Finding("problem", "zones.z", "y")]
    with pytest.raises(error) as info:
        raise_problems(findings)
    assert info.value.lines == (f"{path}: x", "zones.z: y")


def runtime_problems(monkeypatch: pytest.MonkeyPatch, *, found: str | None, pinned: str) -> list[Finding]:
    def version(name: str) -> str:
        if found is None:
            raise importlib.metadata.PackageNotFoundError(name)
        return found

    monkeypatch.setattr(importlib.metadata, "version", version)
    monkeypatch.setattr(importlib.metadata, "requires", lambda _: ["numpy>=1.26", f"openvino=={pinned}"])
    monkeypatch.setattr(importlib, "import_module", lambda _: None)
    model = Model.model_validate({"path": "x"})
    return [finding for finding in check_machine.check_runtime("model", model) if finding.level == "problem"]


def test_the_runtime_has_the_version_it_was_built_with(monkeypatch: pytest.MonkeyPatch) -> None:
    assert runtime_problems(monkeypatch, found="2026.4.1", pinned="2026.4.1") == []
    (wrong,) = runtime_problems(monkeypatch, found="2025.1.0", pinned="2026.4.1")
    assert wrong.text == "OpenVINO 2025.1.0 is installed; allowed: 2026.4.1, which the engine was built with"
    (missing,) = runtime_problems(monkeypatch, found=None, pinned="2026.4.1")
    assert "pip install openvino" in missing.text


def test_an_engine_that_is_not_built_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(name: str) -> None:
        raise ImportError(f"no {name}")

    monkeypatch.setattr(importlib, "import_module", refuse)
    (problem,) = [finding for finding in check_machine.check_platform() if finding.level == "problem"]
    assert (
        str(problem)
        == "platform: the engine cannot be loaded (no fastpose._core); build it with: pip install ."
    )


def test_a_core_that_is_not_there() -> None:
    findings = list(check_machine.check_priorities(Engine(cpu=100000, realtime=False)))
    assert [finding.level for finding in findings] == ["problem"]
    assert str(findings[0]).startswith("engine.cpu: no core 100000 for this process; allowed: 0")


@pytest.mark.parametrize(("granted", "level"), [(True, "ok"), (False, "warning")])
def test_priorities_that_are_not_granted_cost_but_stop_nothing(
    monkeypatch: pytest.MonkeyPatch, granted: bool, level: str
) -> None:
    monkeypatch.setattr(check_machine, "grants_fifo", lambda: granted)
    monkeypatch.setattr(check_machine, "locked_memory_limit", lambda: None if granted else 2**23)
    monkeypatch.setattr(check_machine, "_cores", lambda: {0, 1})
    findings = list(check_machine.check_priorities(Engine()))
    assert {finding.level for finding in findings} == {level}
    ways_out = [finding.text for finding in findings if "limits.conf" in finding.text]
    assert len(ways_out) == (0 if granted else 2)


def test_a_small_budget_for_realtime_threads_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check_machine, "grants_fifo", lambda: True)
    monkeypatch.setattr(check_machine, "realtime_budget", lambda: Budget(500_000, 1_000_000))
    monkeypatch.setattr(check_machine, "_cores", lambda: {0, 1})
    _, finding = check_machine.check_priorities(Engine(lock_memory=False))
    assert finding.level == "warning"
    assert "sched_rt_runtime_us is 500000 of 1000000" in finding.text


def test_one_core_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check_machine, "_cores", lambda: {0})
    (finding,) = check_machine.check_priorities(Engine(fifo=False, lock_memory=False))
    assert (finding.level, finding.path) == ("warning", "engine.affinity")


def test_measures_that_are_off_are_not_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check_machine, "_cores", lambda: {0})
    off = Engine(fifo=False, lock_memory=False, affinity=False)
    assert list(check_machine.check_priorities(off)) == []
    assert list(check_machine.check_priorities(Engine(realtime=False))) == []


def test_trying_priorities_changes_nothing() -> None:
    before = os.sched_getscheduler(0)
    list(check_machine.check_priorities(Engine()))
    assert os.sched_getscheduler(0) == before
