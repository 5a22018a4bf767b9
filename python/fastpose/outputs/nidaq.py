"""Lines and analogue channels of National Instruments devices; a task each, open for the whole session."""

from __future__ import annotations

from typing import Any

from fastpose.config.beside import NidaqOutput
from fastpose.errors import OutputError
from fastpose.outputs import needs

__all__ = ["open"]


class NidaqLine:
    """One started task: a write is one call into the driver and makes no new task."""

    def __init__(self, name: str, spec: NidaqOutput) -> None:
        self._spec = spec
        nidaqmx = needs("nidaqmx", "nidaq", "nidaq")
        self._errors: Any = (
            nidaqmx.errors.DaqError,
            needs("nidaqmx.errors", "nidaq", "nidaq").DaqNotFoundError,
        )
        try:
            self._task: Any = nidaqmx.Task(f"fastpose_{name}")
            if spec.analogue:
                highest_v = max(spec.high_v, spec.max_level or 0.0)
                self._task.ao_channels.add_ao_voltage_chan(spec.channel, min_val=0.0, max_val=highest_v)
            else:
                self._task.do_channels.add_do_chan(spec.channel)
            self._task.start()
        except self._errors as error:
            raise OutputError(self._told(error)) from error

    def write(self, high: bool) -> None:
        """Set the line; on an analogue channel `high_v` or 0."""
        self._write((self._spec.high_v if high else 0.0) if self._spec.analogue else high)

    def write_value(self, value: float) -> None:
        """Set the analogue channel, V."""
        self._write(float(value))

    def close(self) -> None:
        """End the task; the device keeps the level."""
        self._task.close()

    def _write(self, value: bool | float) -> None:
        try:
            self._task.write(value)
        except self._errors as error:
            raise OutputError(self._told(error)) from error

    def _told(self, error: Exception) -> str:
        return f"channel {self._spec.channel}: {' '.join(str(error).split())}"


def open(name: str, spec: NidaqOutput) -> NidaqLine:
    """The output `name`."""
    return NidaqLine(name, spec)
