"""Compiled networks are kept, checked, given up, and never in the way."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

import quantised_package as made
import tiny_package as tiny
from fastpose import cache
from fastpose.assembly.backends import Device, open_backend
from fastpose.cache import cache_folder, kept_compiled
from fastpose.model_package import read_model_package
from rigs import run_here


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FASTPOSE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "compiled"


def keep(name: str, content: bytes = b"compiled", file: str = "1.blob") -> Path:
    with kept_compiled(name) as kept:
        assert kept.folder is not None and kept.problem == ""
        (kept.folder / file).write_bytes(content)
    return kept.folder / file


def test_what_was_kept_is_there_again() -> None:
    file = keep("net")
    with kept_compiled("net") as kept:
        assert kept.folder == file.parent and file.read_bytes() == b"compiled"


@pytest.mark.parametrize("content", [b"Compiled", b"compile", b""], ids=["flipped", "cut off", "empty"])
def test_a_file_that_changed_is_removed_before_it_is_used(content: bytes) -> None:
    changed, whole = keep("net"), keep("net", b"other", "2.blob")
    changed.write_bytes(content)
    with kept_compiled("net"):
        assert not changed.exists() and whole.exists()


def test_a_file_that_was_never_finished_is_removed() -> None:
    file = keep("net")
    unfinished = file.with_name("2.blob")
    unfinished.write_bytes(b"comp")  # its writer was killed before it was sealed
    with kept_compiled("net"):
        assert file.exists() and not unfinished.exists()


def test_networks_unused_for_longest_go_when_the_room_is_used_up(monkeypatch: pytest.MonkeyPatch) -> None:
    files = [keep(f"net{age}", bytes(1000)) for age in range(4)]
    for age, file in enumerate(files):
        os.utime(file.parent, (1000 - age, 1000 - age))
    monkeypatch.setattr(cache, "ROOM_BYTES", 3300)
    with kept_compiled("net3"):
        pass
    assert [file.exists() for file in files] == [True, True, False, True]


def test_a_folder_that_cannot_be_written_is_said_and_stops_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("FASTPOSE_CACHE", str(tmp_path / "file"))
    with kept_compiled("net") as kept:
        assert kept.folder is None
    assert "cannot be written (Not a directory), so that the network is compiled every time" in kept.problem


def test_the_cache_lies_where_the_user_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("FASTPOSE_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    monkeypatch.setattr("sys.platform", "linux")
    assert cache_folder() == tmp_path / "xdg" / "fastpose"
    monkeypatch.setattr("sys.platform", "win32")
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "local"))
    assert cache_folder() == tmp_path / "local" / "fastpose"


def test_a_network_comes_compiled_the_second_time(tmp_path: Path, own_folder: Path) -> None:
    pytest.importorskip("openvino")
    package = read_model_package(made.copy_of_mouse(tmp_path / "mouse"))
    device, shape = Device(precision="fp32", threads=1), (1, 1, 64, 64)
    runs = [open_backend(package, device, shape) for _ in range(2)]
    assert [run.backend.granted["cached"] for run in runs] == [False, True]
    frame = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    first, second = (run.backend.run(frame) for run in runs)
    for a, b in zip(first, second, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)
    (blob,) = own_folder.glob("*/*.blob")
    blob.chmod(0o600)
    blob.write_bytes(blob.read_bytes()[:-100])
    assert open_backend(package, device, shape).backend.granted["cached"] is False


def test_an_operation_of_ours_comes_compiled_too(tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    pytest.importorskip("openvino")
    from small_group_norm import group_norm_network

    write = {"model.onnx": lambda path: path.write_bytes(group_norm_network("operation"))}
    colours = {"colour": "rgb", "normalisation": tiny.THREE, "bodyparts": ["a", "b", "c", "d"]}
    package = read_model_package(tiny.write_package(tmp_path / "groups", write, **colours))
    shape, device = (1, 3, 64, 64), Device(precision="fp32", threads=1)
    frame = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    runs = [open_backend(package, device, shape) for _ in range(2)]
    assert [run.backend.granted["cached"] for run in runs] == [False, True]
    for a, b in zip(*(run.backend.run(frame) for run in runs), strict=True):
        assert np.abs(a).max() > 0
        np.testing.assert_allclose(a, b, atol=1e-5)


def test_a_run_without_a_cache_warns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("openvino")
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("FASTPOSE_CACHE", str(tmp_path / "file"))
    session = run_here(tmp_path, {"model.device": "cpu", "cameras.top.frames_total": 5})
    assert session.summary is not None
    assert [line for line in session.summary.warnings if "compiled every time" in line]
    assert session.summary.processed > 0
