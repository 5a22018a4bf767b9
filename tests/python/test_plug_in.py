"""The example package: installed as a user would, named in a config, moved by its own process."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from rigs import write_rig

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the example package in it; nothing is fetched."""
    pytest.importorskip("setuptools")
    folder = tmp_path_factory.mktemp("plugin")
    source = shutil.copytree(ROOT / "examples" / "plugin", folder / "source")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    command += ["--no-build-isolation", "--target", str(folder / "target"), str(source)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder / "target"


def run_with(installed: Path, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    paths = [str(installed), *sys.path]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
    command = [sys.executable, "-m", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment, cwd=cwd)


def labjack(**values: object) -> dict[str, object]:
    return {"driver": "labjack", "device": "demo", "register": "FIO0", "max_on_ms": 100, **values}


def test_session_with_the_example(installed: Path, tmp_path: Path) -> None:
    config = write_rig(tmp_path, {"outputs.laser": labjack()})
    done = run_with(installed, "fastpose.run", str(config), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    (session,) = (tmp_path / "sessions").iterdir()
    written = (session / "log" / "outputs_labjack.txt").read_text().split("\n")
    assert written.count("FIO0 = 1") >= 2
    assert written[-3:] == ["FIO0 = 0", "closed", ""]
    assert "confirmed,laser,1" in (session / "events.csv").read_text()
    assert "driver: labjack" in (session / "config.yaml").read_text()


def test_its_own_class_checks_the_config(installed: Path, tmp_path: Path) -> None:
    config = write_rig(tmp_path, {"outputs.laser": labjack(register="X1")})
    done = run_with(installed, "fastpose", "check", str(config), cwd=tmp_path)
    assert done.returncode == 2
    assert "outputs.laser" in done.stderr and "register" in done.stderr


def test_levels_where_it_has_them(installed: Path, tmp_path: Path) -> None:
    do = {"laser": {"level": 2.5}}
    protocol = {"type": "conditional", "when": "in_left", "do": do}
    changes = {"outputs.laser": labjack(register="DAC0"), "protocol": protocol}
    done = run_with(installed, "fastpose.run", str(write_rig(tmp_path, changes)), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    (log,) = tmp_path.glob("sessions/*/log/outputs_labjack.txt")
    assert "DAC0 = 2.5" in log.read_text()


def test_without_the_package_the_driver_is_unknown(tmp_path: Path) -> None:
    config = write_rig(tmp_path, {"outputs.laser": labjack()})
    done = run_with(Path(), "fastpose", "check", str(config), cwd=tmp_path)
    assert done.returncode == 2
    assert "outputs.laser.driver: 'labjack' is not allowed" in done.stderr
