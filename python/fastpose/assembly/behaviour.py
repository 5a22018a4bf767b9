"""Filter, zones, rules, outputs and protocol as the engine takes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from fastpose import _core
from fastpose import config as cfg
from fastpose.assembly.states import make_state_machine
from fastpose.errors import ConfigError
from fastpose.guardian import GuardedPort, Guardian
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

Shape = tuple[int, int]  # individuals, bodyparts
Switch = Literal["on", "off", "follow"]


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


def make_rules(config: cfg.Config, rules: Mapping[str, cfg.Rule], package: ModelPackage) -> list[_core.Rule]:
    """Return these of the config's rules, in their order."""
    zones = {name: _zone(zone) for name, zone in config.zones.items()}
    return [_named(name, rule, zones, package) for name, rule in rules.items()]


def _named(name: str, rule: cfg.Rule, zones: dict[str, _core.Zone], package: ModelPackage) -> _core.Rule:
    try:
        return _rule(rule, zones, package)
    except ConfigError as error:
        raise ConfigError(*(f"rules.{name}.{line}" for line in error.lines)) from None


def _zone(zone: cfg.Zone) -> _core.Zone:
    if zone.polygon is not None:
        return _core.polygon_zone(list(zone.polygon))
    if zone.circle is not None:
        return _core.circle_zone(center=zone.circle.center, radius_px=zone.circle.radius_px)
    assert zone.rectangle is not None
    return _core.rectangle_zone(**zone.rectangle.model_dump())


def _individual(asked: int | str, package: ModelPackage) -> int | str:
    try:
        return package.index_of_individual(asked)
    except ConfigError as error:
        raise ConfigError(f"individual: {error}") from None


def _require_bodyparts(individual: int | str, names: Sequence[str], package: ModelPackage) -> None:
    """The last individual has the unique body parts and no others; every animal can be compared with them."""
    unique = package.unique_bodyparts
    if not unique or individual != package.count_of_individuals - 1:
        return
    strangers = [name for name in names if name not in unique]
    if strangers:
        raise ConfigError(
            f"individual is {package.individuals[-1]!r}, which has no {strangers[0]!r}; allowed body parts: "
            f"{', '.join(unique)}; or give an animal"
        )


def _rule(rule: cfg.Rule, zones: dict[str, _core.Zone], package: ModelPackage) -> _core.Rule:
    values: dict[str, Any] = rule.model_dump(exclude={"type", "camera"})
    values["individual"] = _individual(rule.individual, package)
    values["unique_bodyparts"] = len(package.unique_bodyparts)
    bodyparts, shape = package.bodyparts, (package.count_of_individuals, len(package.bodyparts))
    for key in ("bodypart", "bodyparts"):
        if key in values:
            names = [values[key]] if key == "bodypart" else values[key]
            _require_bodyparts(values["individual"], names, package)
            indices = [bodyparts.index(name) for name in names]
            values[key] = indices[0] if key == "bodypart" else indices
    if "zone" in values:
        values["zone"] = zones[values["zone"]]
    make: Any = getattr(_core, f"{rule.type}_rule")
    made: _core.Rule = make(shape, **values)
    return made


@dataclass
class Lines:
    """The outputs behind their interlock, and the process that guards serial ports."""

    names: tuple[str, ...]
    interlock: _core.Interlock | None = None
    guardian: Guardian | None = None
    descriptions: dict[str, str] = field(default_factory=dict)

    def close(self) -> None:
        """Put the lines safe and let the guardian go."""
        if self.interlock is not None:
            self.interlock.to_safe()
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
    ports: dict[str, _core.SerialPort] = {}
    drivers = {**(hosted or {})}
    for name, output in outputs.items():
        if not isinstance(output, cfg.PylonOutput):
            drivers[name] = _driver(name, output, ports)
    made = [make_line(name, output, drivers[name]) for name, output in outputs.items()]
    lines.descriptions = {line.name: line.driver.description for line in made}
    lines.interlock = _core.Interlock(made, timer_priority=TIMER_PRIORITY if realtime else 0, timer_cpus=cpus)
    lines.guardian = Guardian([_guarded(port, outputs) for port in ports.values()])
    return lines


def make_line(name: str, output: cfg.Output, driver: _core.OutputDriver) -> _core.OutputLine:
    """The line of an output, with its limits."""
    return _core.OutputLine(
        name,
        driver,
        max_on_ns=round((output.max_on_ms or 0) * NS_PER_MS),
        max_rate_hz=output.max_rate_hz or 0.0,
        safe_high=output.safe == "high",
    )


def _driver(
    name: str, output: cfg.SimOutput | cfg.SerialOutput, ports: dict[str, _core.SerialPort]
) -> _core.OutputDriver:
    if isinstance(output, cfg.SimOutput):
        return _core.SimOutput(name)
    port = ports.get(output.port)
    if port is None:
        port = ports[output.port] = _core.SerialPort(output.port, baud=output.baud)
    if port.baud != output.baud:
        raise ConfigError(
            f"outputs.{name}.baud is {output.baud}; another output opens {output.port} with {port.baud}, "
            "one port has one baud"
        )
    return _core.SerialOutput(port, high=output.high.encode("latin-1"), low=output.low.encode("latin-1"))


def _guarded(port: _core.SerialPort, outputs: dict[str, cfg.Output]) -> GuardedPort:
    on_port = [o for o in outputs.values() if isinstance(o, cfg.SerialOutput) and o.port == port.path]
    safe = b"".join((o.high if o.safe == "high" else o.low).encode("latin-1") for o in on_port)
    return GuardedPort(port.path, safe, baud=port.baud, file_descriptor=port.fileno())


def make_protocol(config: cfg.Config, rules: list[str], bodyparts: Sequence[str]) -> _core.Protocol | None:
    """Return the protocol that runs in the loop; None for type none, and for Python, which runs beside it.

    `rules` are those that it sees, in their order.
    """
    protocol, outputs = config.protocol, list(config.outputs)
    if isinstance(protocol, cfg.ConditionalProtocol) and protocol.is_plain:
        return _core.ConditionalProtocol(
            rule=rules.index(protocol.when),
            actions=[(outputs.index(name), *_action(action)) for name, action in protocol.do.items()],
            deadline_ns=round((protocol.deadline_ms or 0) * NS_PER_MS),
            suppress_late=protocol.on_late == "suppress",
        )
    if (machine := cfg.as_states(protocol)) is not None:
        return make_state_machine(machine, rules, outputs)
    if isinstance(protocol, cfg.CythonProtocol):
        return _core.PolicyProtocol(_policy(protocol, rules, outputs, list(bodyparts)))
    return None


def _action(action: cfg.Pulse | Switch) -> tuple[Literal["pulse"] | Switch, int]:
    if isinstance(action, cfg.Pulse):
        return "pulse", round(action.pulse_ms * NS_PER_MS)
    return action, 0


def _policy(spec: cfg.CythonProtocol, rules: list[str], outputs: list[str], bodyparts: list[str]) -> Any:
    module = policy_beside(spec.source) if spec.source is not None else import_policy(spec.module or "")
    try:
        return module.policy(rules, outputs, bodyparts)
    except ValueError as error:
        name = f"path '{spec.path}'" if spec.path else f"module {spec.module!r}"
        raise ConfigError(f"protocol.{name} refuses this config: {error}") from None
