"""What every test shares: an option, a pseudo-terminal, and that nothing is left behind."""

from __future__ import annotations

import gc
import os
import shutil
import subprocess
import tty
from collections.abc import Iterator
from pathlib import Path

import pytest

from terminal import Terminal


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--all-networks", action="store_true", help="every network of DeepLabCut, large ones too"
    )
    parser.addoption("--all-protocols", action="store_true", help="10,000 random protocols, not 300")
    parser.addoption("--whole-video", action="store_true", help="all 2,330 frames of the open-field video")


@pytest.fixture(autouse=True, scope="session")
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What the tests compile and import lies in a folder of theirs, also for processes that they start."""
    before = os.environ.get("FASTPOSE_CACHE")
    os.environ["FASTPOSE_CACHE"] = before or str(tmp_path_factory.mktemp("cache"))
    yield
    if before is None:
        del os.environ["FASTPOSE_CACHE"]


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    """A device behind a serial port."""
    far_end, near_end = os.openpty()
    tty.setraw(near_end)
    path = os.ttyname(near_end)
    os.close(near_end)
    yield Terminal(far_end, path)
    os.close(far_end)


@pytest.fixture
def nothing_left() -> Iterator[None]:
    """No child process and nothing in shared memory outlives the test."""
    import psutil

    from rigs import shared_memory_of

    before = {child.pid for child in psutil.Process().children()}
    yield
    gc.collect()
    left = [child for child in psutil.Process().children() if child.pid not in before]
    assert [child.cmdline() for child in left if child.status() != psutil.STATUS_ZOMBIE] == []
    assert shared_memory_of(os.getpid()) == []


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder of its own with room for two megabytes."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)]
    if (
        shutil.which("mount") is None
        or subprocess.run(command, capture_output=True, check=False).returncode != 0
    ):
        pytest.skip("mounting a small disk needs root")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)
