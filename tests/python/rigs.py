"""Small rigs for tests of the whole system: configs, runs in processes of their own, what they leave."""

from __future__ import annotations

import copy
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import pandas as pd
import psutil
import yaml
from typing_extensions import Self

from fastpose.config import Config, load_config
from fastpose.runner import RunSummary, run
from fastpose.status import Status

WIDTH, HEIGHT = 160, 120

# The stored outputs of device fake repeat after 16 frames: the snout is left of x = 80 in 10 of them.
BASE: dict[str, Any] = {
    "session": {"subject": "m001"},
    "cameras": {
        "top": {
            "driver": "sim",
            "size": [WIDTH, HEIGHT],
            "rate_hz": 200,
            "exposure_us": 1000,
            "frames_total": 120,
            "frames": "every",
        }
    },
    "model": {"path": "builtin:simulated_mouse", "device": "fake"},
    "zones": {"left": {"rectangle": {"x": 0, "y": 0, "width": 80, "height": HEIGHT}}},
    "rules": {"in_left": {"type": "in_zone", "zone": "left", "bodyparts": ["snout"]}},
    "outputs": {"laser": {"driver": "sim", "max_on_ms": 100}},
    "protocol": {"type": "conditional", "when": "in_left", "do": {"laser": {"pulse_ms": 5}}},
    "record": {"video": {"codec": "ffv1"}},
    "engine": {"realtime": False},
}
ALWAYS = {  # a rule that holds from the first frame on, and an output that follows it
    "zones": {"everywhere": {"rectangle": {"x": 0, "y": 0, "width": WIDTH, "height": HEIGHT}}},
    "rules": {"always": {"type": "in_zone", "zone": "everywhere", "bodyparts": ["snout"]}},
    "protocol": {"type": "conditional", "when": "always", "do": {"laser": "follow"}},
}
ENDLESS = {"cameras.top.frames_total": None}


def video_camera(path: Path, **values: Any) -> dict[str, Any]:
    """A camera that plays a file, every frame of it."""
    return {"driver": "video", "path": str(path), "pace": "max", "frames": "every", **values}


def serial_laser(port: str, **values: Any) -> dict[str, Any]:
    """An output on a serial port, without an interlock that would end it."""
    return {"driver": "serial", "port": port, "max_on_ms": 600_000, **values}


def write_rig(folder: Path, changes: dict[str, Any] | None = None) -> Path:
    """Write the config of a small rig; `changes` holds values by dotted path."""
    config = copy.deepcopy(BASE)
    config["session"]["directory"] = str(folder / "sessions")
    for path, value in (changes or {}).items():
        *parents, last = path.split(".")
        section = config
        for key in parents:
            section = section.setdefault(key, {})
        section[last] = value
    file = folder / "config.yaml"
    file.write_text(yaml.safe_dump(config, sort_keys=False))
    return file


def rig_config(folder: Path, changes: dict[str, Any] | None = None) -> Config:
    """The checked config of a small rig."""
    return load_config(write_rig(folder, changes))


def run_here(folder: Path, changes: dict[str, Any] | None = None) -> Session:
    """Run a small rig to its end in this process."""
    summary = run(rig_config(folder, changes), status=Status(quiet=True))
    return Session(summary.directory, summary)


@dataclass
class Session:
    """The files that a session left behind."""

    folder: Path
    summary: RunSummary | None = None

    @property
    def frames(self) -> pd.DataFrame:
        return pd.read_parquet(self.folder / "frames.parquet")

    @property
    def events(self) -> pd.DataFrame:
        return pd.read_csv(self.folder / "events.csv", keep_default_na=False, na_values=[""])

    @property
    def json(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads((self.folder / "session.json").read_text())
        return content

    @property
    def log_text(self) -> str:
        return (self.folder / "log.txt").read_text()

    def poses(self, suffix: str = "") -> pd.DataFrame:
        """(n, bodyparts * 3) x, y, likelihood; the scorer level is left out."""
        table = pd.read_hdf(self.folder / f"poses_top{suffix}.h5")
        assert isinstance(table, pd.DataFrame)
        return table.droplevel("scorer", axis=1)

    def output_levels(self, name: str = "laser") -> list[int]:
        """Every edge of an output, in order of time."""
        events = self.events
        mine = (events["event"] == "output") & (events["name"] == name)
        return [int(value) for value in events.loc[mine, "value"]]


def video_frames(path: Path) -> int:
    """Frames that can be decoded."""
    import av

    with av.open(str(path)) as container:
        return sum(1 for _ in container.decode(video=0))


@dataclass(frozen=True)
class Ended:
    """How a process ended."""

    code: int
    stdout: str
    stderr: list[str]

    @property
    def complaint(self) -> str:
        """The one line on stderr beside those of the status; fails where there are more or none."""
        lines = [
            line for line in self.stderr if not line.startswith(("fastpose: running", "fastpose: ended"))
        ]
        assert len(lines) == 1, lines
        return lines[0]


class Process:
    """``python -m fastpose.run CONFIG`` as a user starts it; killed at the end of the with block."""

    def __init__(self, config: Path, *, prefix: tuple[str, ...] = ()) -> None:
        self._folder = config.parent
        self._out, self._err = self._folder / "stdout.txt", self._folder / "stderr.txt"
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self._process = subprocess.Popen(
                [*prefix, sys.executable, "-m", "fastpose.run", str(config)],
                stdout=out,
                stderr=err,
                cwd=self._folder,
                start_new_session=True,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()

    @property
    def pid(self) -> int:
        return self._process.pid

    def host(self, module: str) -> psutil.Process:
        """A process that the rig hosts: video or encoder."""
        children = psutil.Process(self.pid).children()
        (found,) = [child for child in children if f"fastpose.hosts.{module}" in child.cmdline()]
        return found

    def wait_for(self, condition: Callable[[], Any]) -> Any:
        """Wait until something is so; fails when the process ends before."""
        while not (found := condition()):
            assert self._process.poll() is None, self._err.read_text()
            time.sleep(0.01)
        return found

    def wait_for_frames(self, count: int, camera: str = "top") -> Path:
        """Wait until the log holds so many frames; returns the session's folder."""
        pattern = f"sessions/*/log/frames_{camera}.fplog"
        (log,) = self.wait_for(lambda: list(self._folder.glob(pattern)))
        self.wait_for(lambda: log.stat().st_size > 1000 + 128 * count)
        folder: Path = log.parents[1]
        return folder

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def kill(self) -> int:
        """Kill -9; returns the host time of it, ns."""
        at_ns = time.monotonic_ns()
        self._process.kill()
        self._process.wait()
        return at_ns

    def end(self) -> Ended:
        """Wait until it ends by itself."""
        code = self._process.wait()
        return Ended(code, self._out.read_text(), self._err.read_text().splitlines())


def run_process(config: Path, *, prefix: tuple[str, ...] = ()) -> Ended:
    """Run a config as a user does, to its end."""
    with Process(config, prefix=prefix) as process:
        return process.end()


def recover(folder: Path) -> subprocess.CompletedProcess[str]:
    """``fastpose recover DIR`` in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "fastpose", "recover", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )


def contents(folder: Path) -> dict[str, bytes]:
    """Every result file of a session."""
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}


def shared_memory_of(pid: int) -> list[str]:
    """Frame rings, and the stop switch, that a process made in shared memory."""
    return [path.name for path in Path("/dev/shm").glob(f"fastpose-{pid}-*")]
