"""Errors are the matching builtins too, and keep their lines."""

from __future__ import annotations

import pickle

import pytest

from fastpose import errors


@pytest.mark.parametrize(
    ("error", "builtins"),
    [
        (errors.ConfigError, [ValueError]),
        (errors.CameraError, [OSError]),
        (errors.CameraTimeout, [OSError, TimeoutError, errors.CameraError]),
        (errors.CameraDisconnected, [OSError, ConnectionError, errors.CameraError]),
        (errors.ModelError, [ValueError]),
        (errors.DeviceError, [RuntimeError]),
        (errors.OutputError, [OSError]),
        (errors.RecordError, [OSError]),
    ],
)
def test_each_is_also_a_builtin(error: type[errors.FastposeError], builtins: list[type[Exception]]) -> None:
    expected: list[type[Exception]] = [errors.FastposeError, *builtins]
    for builtin in expected:
        with pytest.raises(builtin, match=r"^first\nsecond$"):
            raise error("first", "second")


@pytest.mark.parametrize("name", errors.__all__)
def test_text_and_lines_survive_a_process_border(name: str) -> None:
    error = pickle.loads(pickle.dumps(getattr(errors, name)("first", "second")))
    assert type(error) is getattr(errors, name)
    assert str(error) == "first\nsecond"
    assert error.lines == ("first", "second")
