"""Typed errors of fastpose: each is also the matching builtin exception."""

from __future__ import annotations

__all__ = [
    "CameraDisconnected",
    "CameraError",
    "CameraTimeout",
    "ConfigError",
    "DeviceError",
    "FastposeError",
    "ModelError",
    "OutputError",
    "RecordError",
]


class FastposeError(Exception):
    """Root of every error that fastpose raises on purpose.

    The text says what is wrong, which value, what is allowed and what to do, one line a problem.

    Parameters
    ----------
    *lines : str
        One line a problem.

    Attributes
    ----------
    lines : tuple of str
        The problems, each in one line.
    """

    def __init__(self, *lines: str) -> None:
        text = "\n".join(lines)
        self.lines: tuple[str, ...] = tuple(text.split("\n"))
        super().__init__(text)  # one argument: OSError would read two as errno and strerror


class ConfigError(FastposeError, ValueError):
    """A config that cannot be used: unknown key, value out of range, name of something that is not there."""


class CameraError(FastposeError, OSError):
    """A camera or video file that cannot be opened or read."""


class CameraTimeout(CameraError, TimeoutError):  # noqa: N818
    """A camera that delivered no frame in time."""


class CameraDisconnected(CameraError, ConnectionError):  # noqa: N818
    """A camera that went away while it was in use."""


class ModelError(FastposeError, ValueError):
    """A model package that is missing, incomplete, changed or not what the config needs."""


class DeviceError(FastposeError, RuntimeError):
    """A device or runtime for networks that is missing or cannot do what was asked."""


class OutputError(FastposeError, OSError):
    """An output that cannot be opened or written."""


class RecordError(FastposeError, OSError):
    """A session folder that cannot be written."""
