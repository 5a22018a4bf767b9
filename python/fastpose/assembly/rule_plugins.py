"""Rules of other packages: entry points of the group fastpose.rules."""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import Any

from fastpose import _core
from fastpose import config as cfg
from fastpose.assembly.rule_room import Room
from fastpose.config.problems import no_such
from fastpose.errors import ConfigError

__all__ = ["GROUP", "make_plugin"]

GROUP = "fastpose.rules"


def make_plugin(rule: cfg.PluginRule, room: Room) -> _core.Condition:
    """Return the condition of an installed plug-in.

    Its entry point is a function ``make(options, bodyparts, individuals)`` that returns a PyCapsule named
    ``fastpose.rule`` of a ``struct fp_rule`` (rule/plugin.h); it raises ValueError for options that it does
    not take.

    Raises
    ------
    ConfigError
        There is no such plug-in, it cannot be loaded, or it refuses the options.
    """
    make = _loaded(rule.name)
    try:
        capsule = make(dict(rule.options), list(room.package.bodyparts), list(room.package.individuals))
    except ValueError as error:
        raise ConfigError(f"options: plug-in {rule.name!r} refuses them: {error}") from None
    try:
        return _core.plugin_condition(capsule, min_likelihood=rule.min_likelihood)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"name: plug-in {rule.name!r} gives no condition: {error}") from None


def _loaded(name: str) -> Any:
    found = {entry.name: entry for entry in entry_points(group=GROUP)}
    if name not in found:
        raise ConfigError(f"name: {no_such(f'installed plug-in of group {GROUP}', name, sorted(found))}")
    try:
        return found[name].load()
    except (ImportError, AttributeError) as error:
        raise ConfigError(f"name: plug-in {name!r} cannot be loaded: {error}") from None
