"""The command line: one line on stderr and exit code 2 before anything starts."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

import fastpose
from fastpose.cli import app
from fastpose.config import Config
from fastpose.errors import CameraDisconnected, ConfigError
from fastpose.status import Snapshot, Status
from sample_config import write_config

PACKAGE_ROOT = Path(fastpose.__file__).parents[1]


@dataclass
class Summary:
    """What a runner hands back."""

    directory: Path
    frames: int = 1000
    processed: int = 990
    drops: dict[str, int] = field(default_factory=lambda: {"camera": 0, "ring": 10})
    latency_ms: dict[str, float] = field(
        default_factory=lambda: {"p50": 4.2, "p90": 5, "p99": 6.25, "p99.9": 7, "max": 8, "n": 990}
    )
    ended: str = "the source ended"
    warnings: list[str] = field(default_factory=list)
    network: str = "int8 (0.21 px from fp32), 2 threads, pinned"
    hint: str = "not tuned"
    timing: list[str] = field(default_factory=lambda: ["SCHED_FIFO, locked memory"])
    video: list[str] = field(default_factory=lambda: ["top: 1,000 in the video"])
    latencies_ms: dict[str, dict[str, float]] = field(default_factory=dict)
    clocks: list[str] = field(default_factory=list)


@pytest.fixture(autouse=True)
def engine_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fastpose.check.check_platform", lambda: iter(()))


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Config]:
    """A runner that only remembers what it was asked for."""
    configs: list[Config] = []

    def run(config: Config, *, status: Status) -> Summary:
        configs.append(config)
        status.start(tmp_path / "m001")
        status.update(Snapshot(frames=5))
        return Summary(tmp_path)

    install(monkeypatch, "fastpose.runner", run=run)
    return configs


def install(monkeypatch: pytest.MonkeyPatch, name: str, **functions: Any) -> None:
    module = ModuleType(name)
    vars(module).update(functions)
    monkeypatch.setitem(sys.modules, name, module)


@dataclass
class Result:
    """What a call of the command line left behind."""

    exit_code: int
    stdout: str
    stderr: str


def call(*arguments: object) -> Result:
    stdout, stderr = io.StringIO(), io.StringIO()
    with redirect_stdout(stdout), redirect_stderr(stderr), pytest.raises(SystemExit) as info:
        app([str(argument) for argument in arguments])
    assert isinstance(info.value.code, int)
    return Result(info.value.code, stdout.getvalue(), stderr.getvalue())


def test_a_run_ends_with_its_summary(tmp_path: Path, started: list[Config]) -> None:
    columns = ["event", "name", "value"]
    rows = [
        ("rule", "r", 1),
        ("output", "laser", 1),
        ("output", "laser", 0),
        ("output", "laser", 1),
        ("late", "laser", 1),
    ]
    with (tmp_path / "events.csv").open("w", newline="") as file:
        csv.writer(file).writerows([columns, *rows])
    result = call("run", write_config(tmp_path))
    assert result.exit_code == 0
    assert [config.session.subject for config in started] == ["m001"]
    lines = [" ".join(line.split()) for line in result.stdout.splitlines()]
    assert lines == [
        f"session {tmp_path}",
        "ended the source ended",
        "network int8 (0.21 px from fp32), 2 threads, pinned",
        "not tuned",
        "frames 1,000 seen, 990 processed",
        "drops 10 ring",
        "video top: 1,000 in the video",
        "latency p50 4.20 p90 5.00 p99 6.25 p99.9 7.00 max 8.00 ms from exposure to decision, n 990",
        "timing SCHED_FIFO, locked memory",
        "reactions laser went high 2 times, 1 suppressed as late",
    ]
    assert f"fastpose: running: session {tmp_path / 'm001'}" in result.stderr


def test_quiet_shows_the_summary_only(tmp_path: Path, started: list[Config]) -> None:
    result = call("run", "--quiet", write_config(tmp_path))
    assert (result.exit_code, len(started), result.stderr) == (0, 1, "")
    assert result.stdout.startswith("session")


BAD = [
    ("cameras.top.rate", 5, "cameras.top.rate: unknown key (did you mean 'rate_hz'?)"),
    ("cameras.top.rate_hz", "fast", "cameras.top.rate_hz: 'fast' is not allowed; allowed: a number"),
    ("zones.corner.polygon", [[0, 0], [700, 0], [0, 9]], "zones.corner: (700, 0) is outside the frame"),
    ("rules.in_corner.bodyparts", ["nose"], "rules.in_corner.bodyparts: no body part 'nose'"),
    ("model.path", "gone", "gone': no such folder; allowed: a folder with model.yaml and model.onnx"),
    ("cameras.top", {"driver": "video", "path": "gone.mp4"}, "gone.mp4' does not exist"),
    (
        "model.device",
        "tpu",
        "model.device: 'tpu' is no device; allowed: cpu, cuda, cuda:0",
    ),
    (
        "outputs.laser",
        {"driver": "serial", "port": "/dev/ttyX", "max_on_ms": 99},
        "'/dev/ttyX' cannot be opened",
    ),
    ("session.directory", "/proc/sessions", "session.directory: '/proc/sessions' cannot be written"),
    ("session.directory", "/dev/null/x", "session.directory: '/dev/null/x' cannot be made"),
    ("session.subject", "${FASTPOSE_NOWHERE}", "environment variable FASTPOSE_NOWHERE is not set"),
]


@pytest.mark.parametrize("command", ["run", "check"])
@pytest.mark.parametrize(
    ("path", "value", "text"), BAD, ids=[f"{path}={value!r:.30}" for path, value, _ in BAD]
)
def test_bad_input_is_one_line_before_anything_starts(
    tmp_path: Path, started: list[Config], command: str, path: str, value: Any, text: str
) -> None:
    result = call(command, write_config(tmp_path, path, value))
    (line,) = result.stderr.splitlines()
    assert line.startswith("fastpose: ")
    assert text in line
    assert result.exit_code == 2
    assert started == []
    assert not (tmp_path / "sessions").exists()


def test_a_duplicate_key(tmp_path: Path, started: list[Config]) -> None:
    file = write_config(tmp_path)
    file.write_text(file.read_text() + "session: {subject: b}\n")
    result = call("run", file)
    assert (result.exit_code, started) == (2, [])
    assert "key 'session' stands twice; keep one" in result.stderr


def test_debug_shows_where(tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        app(["run", "--debug", str(tmp_path / "gone.yaml")])


def test_an_error_of_the_run_is_one_line_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(config: Config, *, status: Status) -> Summary:
        raise CameraDisconnected(f"camera '{next(iter(config.cameras))}' is gone")

    install(monkeypatch, "fastpose.runner", run=run)
    result = call("run", write_config(tmp_path))
    assert (result.exit_code, result.stderr) == (2, "fastpose: camera 'top' is gone\n")


def test_a_run_without_the_engine_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fastpose.runner", None)
    result = call("run", write_config(tmp_path))
    assert result.exit_code == 2
    assert result.stderr.startswith("fastpose: the engine cannot be loaded")


def test_check_lists_what_it_looked_at(tmp_path: Path) -> None:
    result = call("check", write_config(tmp_path))
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert any(line.split()[:2] == ["ok", "model.path"] for line in lines)
    assert any(line.split()[:2] == ["warning", "model.device"] for line in lines)
    assert lines[-1].endswith("config.yaml: ready to run")


def test_schema_is_json() -> None:
    assert json.loads(call("schema").stdout)["title"] == "Config"


def test_cameras_lists_what_this_version_has() -> None:
    states = {line.split()[0]: line for line in call("cameras").stdout.splitlines() if line}
    assert "ready" in states["sim"]
    assert "ready, path: a file" in states["video"]
    assert "ready" in states["stream"]


def test_help_names_only_what_there_is() -> None:
    assert [command.callback.__name__ for command in app.registered_commands if command.callback] == [
        *("run", "stop", "check", "new", "draw", "schema", "cameras", "preview"),
        *("import_", "verify", "optimize", "tune", "calibrate", "recover", "check_sync"),
        *("compile_", "replay", "export", "analyze"),
    ]
    assert call("--help").exit_code == 0
    assert call("bench").exit_code == 2


def test_version() -> None:
    assert call("--version").stdout == f"fastpose {fastpose.__version__}\n"


def test_recover_and_export_hand_over_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[Any, ...]] = []

    def write(
        folder: Path, camera: str | None, min_likelihood: float, *, filtered: bool, progress: object
    ) -> Path:
        assert callable(progress)
        asked.append((folder, camera, min_likelihood, filtered))
        return folder / "labelled.mp4"

    def export(
        folder: Path, to: str, out: Path | None, *, camera: str | None, filtered: bool
    ) -> tuple[Path, list[str]]:
        asked.append((folder, to, out, camera, filtered))
        return folder / "made", ["camera top: 2 pose(s) are left out"]

    def recover(folder: Path) -> SimpleNamespace:
        asked.append((folder,))
        return SimpleNamespace(lines=lambda: [f"session: {folder}", "ended: killed"])

    install(monkeypatch, "fastpose.session.recover", recover=recover)
    install(monkeypatch, "fastpose.session.labelled", write_labelled_video=write)
    assert call("recover", tmp_path).stdout == f"session: {tmp_path}\nended: killed\n"
    assert (
        call("export", tmp_path, "--labelled-video", "--camera", "top").stdout == f"{tmp_path}/labelled.mp4\n"
    )
    install(monkeypatch, "fastpose.session.export", export=export)
    assert (
        call("export", tmp_path, "--to", "slp", "-o", "x.slp", "--filtered").stdout
        == f"{tmp_path}/made\ncamera top: 2 pose(s) are left out\n"
    )
    assert asked == [
        (tmp_path,),
        (tmp_path, "top", 0.6, False),
        (tmp_path, "slp", Path("x.slp"), None, True),
    ]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("recover", "/nowhere"), "session '/nowhere': no such folder"),
        (("check-sync", "/nowhere"), "session '/nowhere': no such folder"),
        (("check-sync", "/tmp"), "frames.parquet' is missing"),
        (("export", "/nowhere", "--labelled-video"), "session '/nowhere': no such folder"),
        (("export", "/nowhere", "--to", "nwb"), "session '/nowhere': no such folder"),
        (("export", "/tmp"), "nothing asked for; allowed: --to nwb, slp, alf or dlc, --labelled-video"),
        (("export", "/tmp", "--labelled-video", "-o", "x"), "--out x: belongs to --to"),
        (("export", "/tmp", "--to", "bids"), "--to is 'bids'; allowed: nwb, slp, alf, dlc"),
        (("export", "/tmp", "--to", "slp"), "'/tmp' is no session folder"),
    ],
)
def test_a_folder_that_is_no_session(arguments: tuple[str, ...], text: str) -> None:
    result = call(*arguments)
    assert result.exit_code == 2
    assert text in result.stderr


@pytest.mark.parametrize("module", [["fastpose", "run"], ["fastpose.run"]])
def test_both_spellings_run_a_config(tmp_path: Path, module: list[str]) -> None:
    environment = {**os.environ, "PYTHONPATH": str(PACKAGE_ROOT)}
    command = [sys.executable, "-m", *module, str(tmp_path / "gone.yaml")]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.stderr == f"fastpose: {tmp_path}/gone.yaml: no such file; allowed: a config in YAML\n"
    assert (done.returncode, done.stdout) == (2, "")


def test_configs_and_errors_load_nothing_compiled() -> None:
    code = (
        "import sys, fastpose.config, fastpose.model_package, fastpose.cli\n"
        "print([name for name in sys.modules if name in ('numpy', 'av', 'openvino', 'fastpose._core')])"
    )
    environment = {**os.environ, "PYTHONPATH": str(PACKAGE_ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True
    )
    assert done.stdout == "[]\n"
