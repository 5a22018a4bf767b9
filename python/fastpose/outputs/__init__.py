"""Outputs beside the loop: one module a driver, each with `open(name, spec)`; for the process that hosts it.

A module of another package with the same `open`, and a class `Config` derived from
``fastpose.config.PlugInOutput``, becomes a driver through an entry point of the group ``fastpose.outputs``.
"""

from __future__ import annotations

from importlib import import_module
from types import ModuleType
from typing import Any, Protocol

from fastpose.config.plug_ins import plug_in
from fastpose.errors import OutputError

__all__ = ["Line", "driver_module", "needs"]

_OURS = ("http", "lsl", "nidaq", "open_ephys", "osc", "screen", "udp", "zmq")


class Line(Protocol):
    """One output in the hands of its process. An exception of `write` makes all outputs safe.

    A line may have more: ``write_value(value)`` where its config says `analogue`; ``tick()``, called at least
    20 times a second; ``close()``, called at the end, when it has its safe level.
    """

    def write(self, high: bool) -> None:
        """Return when the device has the level: that moment is its `confirmed`."""


def driver_module(driver: str) -> ModuleType:
    """The module of a driver.

    Raises
    ------
    OutputError
        There is none.
    """
    if driver in _OURS:
        return import_module(f"fastpose.outputs.{driver}")
    module = plug_in(driver)
    if module is None:
        raise OutputError(f"driver {driver!r} is neither ours nor that of a plug-in")
    return module


def needs(module: str, extra: str, driver: str) -> Any:
    """Import what a driver stands on.

    Raises
    ------
    OutputError
        It is not installed; the text names the extra.
    """
    try:
        return import_module(module)
    except ImportError as error:
        raise OutputError(
            f"driver {driver} needs {module.split('.')[0]}, which cannot be imported ({error}); install it "
            f'with: pip install "fastpose-rig[{extra}]"'
        ) from None
