"""What is compared: the engine with all its measures, without one of them each, and with none."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from benches.chosen import chosen_of
from benches.latency.conditions import Condition

__all__ = ["SCENARIOS", "VARIANTS", "Scenario", "chosen", "condition_of"]

Settings = tuple[tuple[str, Any], ...]

VARIANTS: dict[str, Settings] = {
    "all": (),
    "no_fifo": (("fifo", False),),
    "no_lock": (("lock_memory", False),),
    "no_affinity": (("affinity", False),),
    "no_spin": (("spin_us", 0),),
    "none": (("realtime", False),),
}


@dataclass(frozen=True)
class Scenario:
    """A camera, a network and a load, run with every variant in turn.

    Attributes
    ----------
    name, about : str
    condition : Condition
        Without the variant's settings.
    span : str
        What is compared between the variants.
    """

    name: str
    about: str
    condition: Condition
    span: str = "received_to_acted"


def _fake(name: str, **settings: Any) -> Condition:
    return Condition(name, "", **settings)


NETWORK = {
    "network": "builtin:simulated_mouse",
    "frame_size": (640, 480),
    "input_size": (640, 480),
    "rate_hz": 30.0,
}

SCENARIOS = (
    Scenario("idle", "nothing beside it", _fake("idle")),
    Scenario("garbage", "a Python thread that collects garbage", _fake("garbage", load="garbage")),
    Scenario("busy_cores", "a busy process for each core", _fake("busy_cores", load="cores")),
    Scenario("recorder", "recording every frame", _fake("recorder", record=True)),
    Scenario(
        "network",
        "the demo network at a camera's pace",
        _fake("network", **NETWORK),
        span="preprocessed_to_inferred",
    ),
    Scenario(
        "network_recorder",
        "the demo network, recording every frame",
        _fake("network_recorder", record=True, **NETWORK),
        span="preprocessed_to_inferred",
    ),
    Scenario(
        "slow_network",
        "a network that fills its core: the demo network on larger frames than it has time for",
        _fake("slow_network", **NETWORK | {"input_size": (1280, 960), "frame_size": (1280, 960)}),
        span="preprocessed_to_inferred",
    ),
)


def condition_of(scenario: Scenario, variant: str) -> Condition:
    """The condition of one scenario with one variant's settings."""
    return replace(scenario.condition, engine=VARIANTS[variant])


def chosen(names: str) -> tuple[Scenario, ...]:
    """Return the scenarios of a comma-separated list, in the bench's order; all for an empty one.

    Raises
    ------
    ValueError
        A name is none of `SCENARIOS`.
    """
    return chosen_of(SCENARIOS, names, what="scenario")
