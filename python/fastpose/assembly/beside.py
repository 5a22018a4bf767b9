"""Outputs beside the loop: a block of shared memory and a process for each driver."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from fastpose import _core
from fastpose import config as cfg
from fastpose.errors import OutputError
from fastpose.hosts.beside import BesideOptions
from fastpose.hosts.host import Host

__all__ = ["Beside"]

READY_TIMEOUT_S = 30.0
GOODBYE_S = 5.0


@dataclass
class _Group:
    """The outputs that one process moves."""

    key: str
    outputs: dict[str, cfg.BesideOutput]
    block: _core.BesideLines
    device: _core.BesideDevice
    host: Host | None = None
    ended: bool = False


class Beside:
    """Makes the drivers, starts their processes, and looks after them.

    What the interlock writes before a process is there waits in its queue; it is the first that it does.

    Parameters
    ----------
    outputs : mapping
        All of the config; those of other kinds are passed over.
    """

    def __init__(self, outputs: Mapping[str, cfg.Output]) -> None:
        groups: dict[str, dict[str, cfg.BesideOutput]] = {}
        for name, output in outputs.items():
            if isinstance(output, cfg.BesideOutput):
                groups.setdefault(_key(output), {})[name] = output
        self._groups = [_make(key, group) for key, group in groups.items()]

    def drivers(self) -> dict[str, _core.OutputDriver]:
        """The driver of each output."""
        return {
            name: _core.BesideOutput(
                group.device,
                index,
                description=f"{output.driver}, beside the loop",
                analogue=output.analogue,
            )
            for group in self._groups
            for index, (name, output) in enumerate(group.outputs.items())
        }

    def spawn(self, log_folder: Path) -> None:
        """Start the processes and wait until each has opened its outputs.

        Raises
        ------
        OutputError
            One cannot.
        """
        for group in self._groups:
            outputs = {name: output.model_dump(mode="json") for name, output in group.outputs.items()}
            driver = next(iter(group.outputs.values())).driver
            options = BesideOptions(group.block.name, driver, outputs)
            log = log_folder / f"outputs_{group.key}.txt"
            group.host = Host("fastpose.hosts.beside", asdict(options), stderr_path=log, error=OutputError)
        for group in self._groups:
            assert group.host is not None
            group.host.wait_ready(READY_TIMEOUT_S)

    def watch(self) -> None:
        """Look at every process once: one that ended makes its outputs fail, a fault of the engine."""
        for group in self._groups:
            host = group.host
            if host is None or group.ended or host.returncode is None:
                continue
            group.ended = True
            reason = f"its process ended with code {host.returncode}; see log/outputs_{group.key}.txt"
            group.block.end(host.text if host.state == "failed" else reason)

    def close(self) -> None:
        """Let the processes make their lines safe and end; one that does not is killed."""
        for group in self._groups:
            group.block.say_goodbye()
        for group in self._groups:
            if group.host is not None and not group.host.wait(GOODBYE_S):
                group.host.stop(1.0)
            group.host = None


def _key(output: cfg.BesideOutput) -> str:
    """Outputs with the same key share a process; every screen has its own."""
    return f"screen{output.display}" if isinstance(output, cfg.ScreenOutput) else output.driver


def _make(key: str, outputs: dict[str, cfg.BesideOutput]) -> _Group:
    name = f"/fastpose-{os.getpid()}-{time.monotonic_ns()}-{key}-beside"
    block = _core.BesideLines.create(name, safe_high=[each.safe == "high" for each in outputs.values()])
    return _Group(key, outputs, block, _core.BesideDevice(block))
