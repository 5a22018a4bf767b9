"""A file that a script makes: the error says how."""

from __future__ import annotations

from pathlib import Path

import pytest

from fastpose.errors import CameraError, ModelError
from fastpose.hosts.probe import probe
from fastpose.made_by import made_by
from fastpose.model_package import read_model_package

EXAMPLES = Path(__file__).parents[2] / "examples"


def test_the_script_is_named_as_one_would_call_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(EXAMPLES.parent)
    assert made_by(EXAMPLES / "two_animals" / "poses.mkv") == (
        "; to make it: python examples/make_two_animals.py"
    )
    assert made_by(EXAMPLES / "three_animals" / "poses.mkv") == ""


def test_a_missing_video_and_a_missing_package_say_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "make_mice.py").touch()
    with pytest.raises(CameraError, match=r"does not exist; .*; to make it: python make_mice\.py$"):
        probe(tmp_path / "mice" / "poses.mkv")
    with pytest.raises(ModelError, match=r"no such folder; .*; to make it: python make_mice\.py$"):
        read_model_package(tmp_path / "mice" / "model")


def test_what_no_script_makes_has_no_such_advice(tmp_path: Path) -> None:
    with pytest.raises(CameraError) as raised:
        probe(tmp_path / "mice" / "poses.mkv")
    assert "to make it" not in str(raised.value)
