"""Filter, zones, rules, outputs and protocol as the engine takes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from fastpose import _core
from fastpose import config as cfg
from fastpose.assembly.actions import command_of
from fastpose.assembly.beside import Beside
from fastpose.assembly.devices import Devices
from fastpose.assembly.rules import make_rules
from fastpose.assembly.states import make_state_machine
from fastpose.errors import ConfigError
from fastpose.guardian import Guardian
from fastpose.model_package import ModelPackage
from fastpose.policy import import_policy, policy_beside

__all__ = [
    "Lines",
    "make_filter",
    "make_identity",
    "make_line",
    "make_protocol",
    "make_rules",
    "open_outputs",
]

NS_PER_MS = 1_000_000
TIMER_PRIORITY = 70  # above camera and loop: the end of a pulse waits for nobody
DEVICE_PRIORITY = 40  # below the loop: heartbeats and confirmations

Shape = tuple[int, int]  # individuals, bodyparts


def make_filter(spec: cfg.Filter, shape: Shape) -> _core.Filter | None:
    """Return the filter, or None for type none."""
    if isinstance(spec, cfg.NoFilter):
        return None
    values = spec.model_dump(exclude={"type", "horizon"})
    if isinstance(spec, cfg.OneEuroFilter):
        return _core.one_euro_filter(shape, **values)
    return _core.kalman_filter(shape, **values, automatic_horizon=spec.horizon == "auto")


def make_identity(spec: cfg.Identity, package: ModelPackage) -> _core.Identity | None:
    """Return what keeps the animals apart; None for one animal, or for type none."""
    shape, unique = (package.count_of_individuals, len(package.bodyparts)), len(package.unique_bodyparts)
    animals = shape[0] - 1 if unique else shape[0]
    if animals == 1 or isinstance(spec, cfg.NoIdentity):
        return None
    return _core.motion_identity(shape, unique_bodyparts=unique, **spec.model_dump(exclude={"type"}))


@dataclass
class Lines:
    """The outputs behind their interlock, and the process that guards serial ports."""

    names: tuple[str, ...]
    interlock: _core.Interlock | None = None
    guardian: Guardian | None = None
    descriptions: dict[str, str] = field(default_factory=dict)
    beside: Beside | None = None
    firmware: dict[str, _core.FirmwareDevice] = field(default_factory=dict)

    def spawn(self, log_folder: Path) -> None:
        """Start the processes of outputs beside the loop; OutputError if one cannot open its outputs."""
        if self.beside is not None:
            self.beside.spawn(log_folder)

    def watch(self) -> None:
        """See whether those processes are still there."""
        if self.beside is not None:
            self.beside.watch()

    def clocks(self) -> dict[str, dict[str, Any]]:
        """What is known of the clocks of microcontrollers, by port."""
        return {port: dict(device.clock) for port, device in self.firmware.items()}

    def close(self) -> None:
        """Put the lines safe and let the guardian go."""
        if self.interlock is not None:
            self.interlock.to_safe()
        if self.beside is not None:
            self.beside.close()
        if self.guardian is not None and not self._unsafe():
            self.guardian.release()  # else it tries once more when this process ends

    def _unsafe(self) -> bool:
        return self.interlock is not None and self.interlock.faulty_line >= 0


def open_outputs(
    outputs: dict[str, cfg.Output],
    *,
    realtime: bool,
    cpus: Sequence[int] = (),
    hosted: Mapping[str, _core.OutputDriver] | None = None,
    max_pose_gap_ms: float | None = None,
) -> Lines:
    """Open every output, put it into its safe state and start the guardian.

    Those in `hosted` have their drivers already: the processes of cameras move them.

    Raises
    ------
    OutputError
        A port cannot be opened or written.
    """
    lines = Lines(tuple(outputs))
    if not outputs:
        return lines
    devices = Devices(outputs, priority=DEVICE_PRIORITY if realtime else 0)
    lines.beside, lines.firmware = Beside(outputs), devices.firmware
    drivers = {**(hosted or {}), **lines.beside.drivers(), **devices.drivers()}
    made = [make_line(name, output, drivers[name]) for name, output in outputs.items()]
    lines.descriptions = {line.name: line.driver.description for line in made}
    lines.interlock = _core.Interlock(
        made,
        timer_priority=TIMER_PRIORITY if realtime else 0,
        timer_cpus=cpus,
        max_pose_gap_ns=round((max_pose_gap_ms or 0) * NS_PER_MS),
    )
    lines.guardian = Guardian(devices.guarded())
    return lines


def make_line(name: str, output: cfg.Output, driver: _core.OutputDriver) -> _core.OutputLine:
    """The line of an output, with its limits."""
    return _core.OutputLine(
        name,
        driver,
        max_on_ns=round((output.max_on_ms or 0) * NS_PER_MS),
        max_rate_hz=output.max_rate_hz or 0.0,
        safe_high=output.safe == "high",
        max_total_ns=round((output.max_total_ms or 0) * NS_PER_MS),
        max_level=output.max_level or 0.0,
        not_with=output.not_with,
    )


def make_protocol(config: cfg.Config, rules: list[str], bodyparts: Sequence[str]) -> _core.Protocol | None:
    """Return the protocol that runs in the loop; None for type none, and for Python, which runs beside it.

    `rules` are those that it sees, in their order.
    """
    protocol, outputs = config.protocol, list(config.outputs)
    if isinstance(protocol, cfg.ConditionalProtocol) and protocol.is_plain:
        return _core.ConditionalProtocol(
            rule=rules.index(protocol.when),
            actions=[_reaction(outputs.index(name), action) for name, action in protocol.do.items()],
            deadline_ns=round((protocol.deadline_ms or 0) * NS_PER_MS),
            suppress_late=protocol.on_late == "suppress",
        )
    if (machine := cfg.as_states(protocol)) is not None:
        return make_state_machine(machine, rules, outputs)
    if isinstance(protocol, cfg.CythonProtocol):
        return _core.PolicyProtocol(_policy(protocol, rules, outputs, list(bodyparts)))
    return None


def _reaction(
    output: int, action: cfg.Action
) -> _core.OutputCommand | tuple[int, Literal["pulse", "on", "off", "follow"], int]:
    return (output, "follow", 0) if action == "follow" else command_of(output, action)


def _policy(spec: cfg.CythonProtocol, rules: list[str], outputs: list[str], bodyparts: list[str]) -> Any:
    module = policy_beside(spec.source) if spec.source is not None else import_policy(spec.module or "")
    try:
        return module.policy(rules, outputs, bodyparts)
    except ValueError as error:
        name = f"path '{spec.path}'" if spec.path else f"module {spec.module!r}"
        raise ConfigError(f"protocol.{name} refuses this config: {error}") from None
