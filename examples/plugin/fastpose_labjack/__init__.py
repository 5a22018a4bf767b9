"""LabJack T-series lines as outputs of fastpose: a class `Config` and a function `open` are all it takes.

    outputs:
      reward: {driver: labjack, device: ANY, register: FIO0, max_on_ms: 500}
      laser: {driver: labjack, register: DAC0, high_v: 3.3, max_on_ms: 5000, max_level: 4.5}

The interlock, trains, ramps, the safe state and the events come by themselves. `device: demo` needs none.
"""

from __future__ import annotations

import sys
from typing import Any, Literal

from pydantic import Field

from fastpose.config import PlugInOutput
from fastpose.errors import OutputError


class Config(PlugInOutput):
    """What a config may say; limits such as max_on_ms are there already."""

    driver: Literal["labjack"]
    device: str = "ANY"
    """Serial number, IP address or name; ANY: the first that is found; demo: none."""
    register: str = Field(pattern=r"^(DAC[01]|[FEC]IO\d+)$")
    """As LabJack calls it."""
    high_v: float = Field(default=5.0, gt=0, le=5)
    """What `on` puts on a DAC, V."""
    max_on_ms: float = Field(gt=0)

    @property
    def analogue(self) -> bool:
        """A DAC takes volts."""
        return self.register.startswith("DAC")


class LabJackLine:
    """One register of an open device. Runs in a process of its own beside the loop."""

    def __init__(self, spec: Config) -> None:
        self._spec = spec
        self._library, self._handle = _demo(spec) if spec.device == "demo" else _open_device(spec)

    def write(self, high: bool) -> None:
        """Return when the device has the level: that moment is its `confirmed`."""
        self.write_value((self._spec.high_v if self._spec.analogue else 1.0) if high else 0.0)

    def write_value(self, value: float) -> None:
        """V on a DAC."""
        try:
            self._library.eWriteName(self._handle, self._spec.register, value)
        except Exception as error:
            raise OutputError(f"{self._spec.register}: {error}") from error

    def close(self) -> None:
        """The line has its safe level by now."""
        self._library.close(self._handle)


def _open_device(spec: Config) -> tuple[Any, int]:
    try:
        from labjack import ljm
    except ImportError as error:
        raise OutputError(f"driver labjack needs labjack-ljm and LabJack's library: {error}") from None
    return ljm, ljm.openS("ANY", "ANY", spec.device)


def _demo(spec: Config) -> tuple[Any, int]:
    class Demo:
        def eWriteName(self, _handle: int, register: str, value: float) -> None:  # noqa: N802  LabJack's name
            print(f"{register} = {value:g}", file=sys.stderr, flush=True)

        def close(self, _handle: int) -> None:
            print("closed", file=sys.stderr, flush=True)

    return Demo(), 0


def open(name: str, spec: Config) -> LabJackLine:
    """The output `name`."""
    return LabJackLine(spec)
