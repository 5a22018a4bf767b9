"""fastpose: from a camera's exposure to an output line, by the animal's pose."""

from __future__ import annotations

from importlib import import_module, metadata
from typing import TYPE_CHECKING, Any

from fastpose.errors import (
    CameraDisconnected,
    CameraError,
    CameraTimeout,
    ConfigError,
    DeviceError,
    FastposeError,
    ModelError,
    OutputError,
    RecordError,
)

if TYPE_CHECKING:
    from fastpose.model import Model, load_model
    from fastpose.pose import Pose
    from fastpose.protocol import Outputs, Protocol
    from fastpose.rig import Rig

    __version__: str

__all__ = [
    "CameraDisconnected",
    "CameraError",
    "CameraTimeout",
    "ConfigError",
    "DeviceError",
    "FastposeError",
    "Model",
    "ModelError",
    "OutputError",
    "Outputs",
    "Pose",
    "Protocol",
    "RecordError",
    "Rig",
    "__version__",
    "load_model",
]

# Imported when asked for: a config can be checked where the engine is not built.
_LAZY = {
    "Model": "model",
    "load_model": "model",
    "Pose": "pose",
    "Protocol": "protocol",
    "Outputs": "protocol",
    "Rig": "rig",
}


if not TYPE_CHECKING:  # a type checker would take any misspelt name for one of these

    def __getattr__(name: str) -> Any:
        if name == "__version__":
            return _version()
        if name in _LAZY:
            return getattr(import_module(f"fastpose.{_LAZY[name]}"), name)
        raise AttributeError(f"module 'fastpose' has no attribute {name!r}")


def _version() -> str:
    try:
        return metadata.version("fastpose-rig")
    except metadata.PackageNotFoundError:  # run from the source tree
        return "0+source"
