"""Rules of the engine with the arguments of one kind and those that all have, as the tests write them."""

from __future__ import annotations

from typing import Any

from fastpose import _core

GATE = ("min_likelihood", "individual", "unique_bodyparts", "calibration")
TIMING = ("min_duration_ms", "refractory_ms", "missing")


def make_rule(kind: str, shape: tuple[int, int], unit: str | None = None, **values: Any) -> _core.Rule:
    """Return a rule of `<kind>_condition`; with a unit, above, below and hysteresis make its limit."""
    gate = _core.Gate(shape, **{key: values.pop(key) for key in GATE if key in values})
    timing = {key: values.pop(key) for key in TIMING if key in values}
    if unit is not None:
        limit = {key: values.pop(key) for key in ("above", "below", "hysteresis") if key in values}
        values["limit"] = _core.Limit(**limit, unit=unit)
    return _core.Rule(getattr(_core, f"{kind}_condition")(gate, **values), **timing)


def _renamed(values: dict[str, Any], unit: str) -> dict[str, Any]:
    return {key.removesuffix(f"_{unit}"): value for key, value in values.items()}


def in_zone_rule(shape: tuple[int, int], **values: Any) -> _core.Rule:
    return make_rule("in_zone", shape, **_renamed(values, "px"))


def outside_zone_rule(shape: tuple[int, int], **values: Any) -> _core.Rule:
    return make_rule("in_zone", shape, outside=True, **_renamed(values, "px"))


def speed_rule(shape: tuple[int, int], **values: Any) -> _core.Rule:
    return make_rule("speed", shape, "px_s", **_renamed(values, "px_s"))


def distance_rule(shape: tuple[int, int], **values: Any) -> _core.Rule:
    return make_rule("distance", shape, "px", **_renamed(values, "px"))


def angle_rule(shape: tuple[int, int], **values: Any) -> _core.Rule:
    heading = {"heading_deg": values.pop("heading_deg")} if "heading_deg" in values else {}
    return make_rule("angle", shape, "deg", **heading, **_renamed(values, "deg"))
