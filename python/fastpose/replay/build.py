"""Filter, rules, protocol and lines of a config, for the poses of a recorded camera."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

from fastpose import _core
from fastpose import config as cfg
from fastpose.assembly.behaviour import make_filter, make_line, make_protocol, make_rules
from fastpose.errors import ConfigError
from fastpose.model_package import ModelPackage, Unique
from fastpose.replay.record import CameraRecord

__all__ = ["Parts", "acting_camera", "parts_of", "require_supported", "seen_rules"]


class Parts(TypedDict):
    """What `_core.replay_camera` is made of."""

    filter: _core.Filter | None
    rules: list[_core.Rule]
    rule_ids: list[int]
    protocol: _core.Protocol | None
    lines: list[_core.OutputLine]


def acting_camera(config: cfg.Config, cameras: dict[str, CameraRecord]) -> str:
    """The camera whose frames the protocol steps with."""
    acting = config.acting_camera
    return acting if acting in cameras else next(iter(cameras))


def require_supported(config: cfg.Config, cameras: dict[str, CameraRecord]) -> None:
    """Refuse what cannot be replayed.

    Raises
    ------
    ConfigError
        A camera of the config has no poses.
    """
    for name in config.analysed:
        if name not in cameras:
            raise ConfigError(
                f"model: camera {name!r} has no poses in this session; allowed: {', '.join(cameras)}"
            )


def seen_rules(config: cfg.Config) -> list[str]:
    """The rules of several cameras that the protocol sees together, in its order; [] where it sees one's."""
    cameras = config.seen_by_protocol
    return [name for camera in cameras for name in config.rules_of(camera)] if len(cameras) > 1 else []


def parts_of(config: cfg.Config, record: CameraRecord, *, acts: bool, seen: Sequence[str] = ()) -> Parts:
    """The parts for one camera; protocol and lines where it is the one that acts.

    `seen`: the rules that the protocol sees; default: those of this camera.

    Raises
    ------
    ConfigError
        The config names what the recorded poses do not have.
    """
    package = _package(record)
    rules = config.rules_of(record.camera)
    _require_bodyparts(rules, package)
    shape = (package.count_of_individuals, len(package.bodyparts))
    all_rules = list(config.rules)
    return {
        "filter": make_filter(config.filter, shape),
        "rules": make_rules(config, rules, package, frame_size=record.frame_size),
        "rule_ids": [all_rules.index(name) for name in rules],
        "protocol": make_protocol(config, list(seen or rules), package.bodyparts) if acts else None,
        "lines": _lines(config) if acts else [],
    }


def _lines(config: cfg.Config) -> list[_core.OutputLine]:
    """The lines with their limits; nothing is behind them."""
    return [make_line(name, output, _core.SimOutput(name)) for name, output in config.outputs.items()]


def _package(record: CameraRecord) -> ModelPackage:
    """The names that the recorded poses have: the network's package may be gone."""
    names = record.unique_bodyparts
    unique = Unique.model_construct(bodyparts=names) if names else None
    return ModelPackage.model_construct(
        bodyparts=record.bodyparts, individuals=record.individuals, unique=unique
    )


def _require_bodyparts(rules: dict[str, cfg.Rule], package: ModelPackage) -> None:
    for name, rule in rules.items():
        named = [getattr(rule, "bodypart", None), *(getattr(rule, "bodyparts", None) or ())]
        strangers = [part for part in named if isinstance(part, str) and part not in package.bodyparts]
        if strangers:
            raise ConfigError(
                f"rules.{name}: the recorded poses have no {strangers[0]!r}; allowed: "
                f"{', '.join(package.bodyparts)}"
            )
