"""Outputs that C++ drivers write from the loop: simulated lines, serial ports, firmware, GPIO."""

from __future__ import annotations

import struct
from collections.abc import Mapping

from fastpose import _core
from fastpose import config as cfg
from fastpose.errors import ConfigError
from fastpose.guardian import GuardedPort

__all__ = ["Devices", "serial_bytes"]

ByPort = cfg.SerialOutput | cfg.TeensyLaserOutput


class Devices:
    """Opens what the outputs need; outputs on one port share it.

    Parameters
    ----------
    outputs : mapping
        All of the config; those of other kinds are passed over.
    priority : int
        Of the threads that listen to microcontrollers; 0: normal threads.

    Raises
    ------
    ConfigError, OutputError
        Two outputs do not fit onto one port; a device cannot be opened.
    """

    def __init__(self, outputs: Mapping[str, cfg.Output], *, priority: int) -> None:
        self._outputs, self._priority = outputs, priority
        self._ports: dict[str, _core.SerialPort] = {}
        self._gpio: dict[str, _core.GpioOutput] = {}
        self._refuse_mixed_ports()
        self.firmware = self._open_firmware()

    def drivers(self) -> dict[str, _core.OutputDriver]:
        """The driver of each of these outputs."""
        found: dict[str, _core.OutputDriver] = {}
        for name, output in self._outputs.items():
            if isinstance(output, cfg.SimOutput):
                found[name] = _core.SimOutput(name)
            elif isinstance(output, ByPort):
                high, low = serial_bytes(output)
                found[name] = _core.SerialOutput(self._port(name, output), high=high, low=low)
            elif isinstance(output, cfg.FirmwareOutput):
                index = list(self._on_firmware(output.port)).index(name)
                found[name] = _core.FirmwareOutput(self.firmware[output.port], index)
            elif isinstance(output, cfg.GpioOutput):
                found[name] = self._gpio_line(name, output)
        return found

    def guarded(self) -> list[GuardedPort]:
        """What a guardian writes when this process is gone."""
        ports = [self._guarded_port(port) for port in self._ports.values()]
        lines = [
            GuardedPort(
                f"{name} on {self._outputs[name].driver}",
                b"",
                file_descriptor=line.fileno(),
                gpio_high=self._outputs[name].safe == "high",
            )
            for name, line in self._gpio.items()
        ]
        return ports + lines

    # --- ports ---

    def _refuse_mixed_ports(self) -> None:
        drivers: dict[str, str] = {}
        for name, output in self._outputs.items():
            if not isinstance(output, ByPort | cfg.FirmwareOutput):
                continue
            first = drivers.setdefault(output.port, output.driver)
            if first != output.driver:
                raise ConfigError(
                    f"outputs.{name}.driver is {output.driver}; another output opens {output.port} with "
                    f"driver {first}, one port has one driver"
                )

    def _port(self, name: str, output: ByPort | cfg.FirmwareOutput) -> _core.SerialPort:
        port = self._ports.get(output.port)
        if port is None:
            port = self._ports[output.port] = _core.SerialPort(output.port, baud=output.baud)
        if port.baud != output.baud:
            raise ConfigError(
                f"outputs.{name}.baud is {output.baud}; another output opens {output.port} with {port.baud}, "
                "one port has one baud"
            )
        return port

    def _guarded_port(self, port: _core.SerialPort) -> GuardedPort:
        on_port = [o for o in self._outputs.values() if isinstance(o, ByPort) and o.port == port.path]
        safe = b"".join(serial_bytes(output)[0 if output.safe == "high" else 1] for output in on_port)
        if port.path in self.firmware:
            safe = _core.FirmwareDevice.safe_bytes()  # at once; the heartbeat would do it later
        return GuardedPort(port.path, safe, baud=port.baud, file_descriptor=port.fileno())

    # --- firmware and GPIO ---

    def _on_firmware(self, port: str) -> dict[str, cfg.FirmwareOutput]:
        return {
            name: output
            for name, output in self._outputs.items()
            if isinstance(output, cfg.FirmwareOutput) and output.port == port
        }

    def _open_firmware(self) -> dict[str, _core.FirmwareDevice]:
        opened: dict[str, _core.FirmwareDevice] = {}
        for name, output in self._outputs.items():
            if not isinstance(output, cfg.FirmwareOutput):
                continue
            port = self._port(name, output)  # refuses another baud
            if output.port not in opened:
                opened[output.port] = self._open_board(port, self._on_firmware(output.port))
        return opened

    def _open_board(
        self, port: _core.SerialPort, lines: Mapping[str, cfg.FirmwareOutput]
    ) -> _core.FirmwareDevice:
        return _core.FirmwareDevice(
            port,
            lines=[
                (line.pin, line.safe == "high", line.pwm, line.max_on_ms * 1.1 + 5) for line in lines.values()
            ],
            heartbeat_ms=min(line.heartbeat_ms for line in lines.values()),
            priority=self._priority,
        )

    def _gpio_line(self, name: str, output: cfg.GpioOutput) -> _core.GpioOutput:
        self._gpio[name] = _core.GpioOutput(
            output.chip, output.line, active_low=output.active_low, initial_high=output.safe == "high"
        )
        return self._gpio[name]


def serial_bytes(output: ByPort) -> tuple[bytes, bytes]:
    """What an output sends for high and for low."""
    if isinstance(output, cfg.SerialOutput):
        return output.high.encode("latin-1"), output.low.encode("latin-1")
    start = b"O" + struct.pack("<HHH", output.pulse_hz, output.pulse_width_ms, output.max_stim_s)
    return start, b"X"
