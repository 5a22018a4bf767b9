"""Rules as the engine takes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from fastpose import _core
from fastpose import config as cfg
from fastpose.assembly.classifier import make_classifier
from fastpose.assembly.rule_plugins import make_plugin
from fastpose.assembly.rule_room import Room, make_room
from fastpose.errors import ConfigError
from fastpose.model_package import ModelPackage

__all__ = ["make_rules"]

Point = tuple[float, float]


def make_rules(
    config: cfg.Config,
    rules: Mapping[str, cfg.Rule],
    package: ModelPackage,
    *,
    frame_size: tuple[int, int] | None = None,
) -> list[_core.Rule]:
    """Return these of the config's rules, in their order: all that look at one camera.

    Parameters
    ----------
    config : Config
    rules : mapping of str to Rule
        Those of one camera; rules of rules count in this order.
    package : ModelPackage
        Whose poses they see.
    frame_size : tuple of int, optional
        Width and height of that camera's frames, px; needed by masks and rules on edges of the frame.

    Raises
    ------
    ConfigError
        One line a problem.
    """
    room = make_room(config, rules, package, frame_size)
    return [_named(name, rule, room) for name, rule in rules.items()]


def _named(name: str, rule: cfg.Rule, room: Room) -> _core.Rule:
    try:
        return _rule(rule, room)
    except ConfigError as error:
        raise ConfigError(*(f"rules.{name}.{line}" for line in error.lines)) from None


def _rule(rule: cfg.Rule, room: Room) -> _core.Rule:
    condition = _MAKERS[type(rule)](rule, room)
    inner = isinstance(rule, cfg.ZoneEntryRule | cfg.ZoneExitRule)  # what lasts is the visit, not the edge
    return _core.Rule(
        condition,
        min_duration_ms=0.0 if inner else rule.min_duration_ms,
        refractory_ms=rule.refractory_ms,
        missing=getattr(rule, "missing", "hold"),
    )


def _limit(limit: Any) -> _core.Limit:
    return _core.Limit(**limit._asdict())


def _in_zone(rule: Any, room: Room) -> _core.Condition:
    return _core.in_zone_condition(
        room.gate(rule),
        zone=room.zone(rule.zone),
        bodyparts=room.bodyparts(rule, rule.bodyparts),
        which=rule.which,
        outside=isinstance(rule, cfg.OutsideZoneRule),
        hysteresis=room.hysteresis(rule),
    )


def _zone_edge(rule: Any, room: Room) -> _core.Condition:
    return _core.edge_condition(
        _in_zone(rule, room),
        begins=isinstance(rule, cfg.ZoneEntryRule),
        min_duration_ms=rule.min_duration_ms,
        missing=rule.missing,
    )


def _dwell(rule: cfg.DwellRule, room: Room) -> _core.Condition:
    return _core.dwell_condition(
        _in_zone(rule, room), limit=_limit(rule.limit), within_ms=rule.within_ms or 0.0, missing=rule.missing
    )


def _head_in_zone(rule: cfg.HeadInZoneRule, room: Room) -> _core.Condition:
    return _core.head_in_zone_condition(
        room.gate(rule),
        zone=room.zone(rule.zone),
        zone_bodyparts=room.bodyparts(rule, rule.zone_bodyparts),
        which=rule.which,
        hysteresis=room.hysteresis(rule),
        bodyparts=room.bodyparts(rule, rule.bodyparts),
        point=rule.point,
        limit=_limit(rule.limit),
    )


def _crossing(rule: cfg.LineCrossingRule, room: Room) -> _core.Condition:
    return _core.crossing_condition(
        room.gate(rule),
        bodypart=room.bodypart(rule, rule.bodypart),
        start=rule.line[0],
        end=rule.line[1],
        side=rule.side,
        hysteresis=room.hysteresis(rule),
        max_gap_ms=rule.max_gap_ms,
    )


def _speed(rule: cfg.SpeedRule, room: Room) -> _core.Condition:
    return _core.speed_condition(
        room.gate(rule),
        bodypart=room.bodypart(rule, rule.bodypart),
        limit=_limit(rule.limit),
        window_ms=rule.window_ms,
    )


def _freezing(rule: cfg.FreezingRule, room: Room) -> _core.Condition:
    return _core.freezing_condition(
        room.gate(rule),
        bodyparts=room.bodyparts(rule, rule.bodyparts),
        limit=_limit(rule.limit),
        which=rule.which,
        window_ms=rule.window_ms,
    )


def _acceleration(rule: cfg.AccelerationRule, room: Room) -> _core.Condition:
    return _core.acceleration_condition(
        room.gate(rule),
        bodypart=room.bodypart(rule, rule.bodypart),
        limit=_limit(rule.limit),
        change=rule.change,
        window_ms=rule.window_ms,
    )


def _angular_velocity(rule: cfg.AngularVelocityRule, room: Room) -> _core.Condition:
    return _core.angular_velocity_condition(
        room.gate(rule),
        bodyparts=room.bodyparts(rule, rule.bodyparts),
        limit=_limit(rule.limit),
        side=rule.side,
        window_ms=rule.window_ms,
    )


def _distance(rule: cfg.DistanceRule, room: Room) -> _core.Condition:
    return _core.distance_condition(
        room.gate(rule), bodyparts=room.bodyparts(rule, rule.bodyparts), limit=_limit(rule.limit)
    )


def _contact(rule: cfg.ContactRule, room: Room) -> _core.Condition:
    return _core.contact_condition(
        room.gate(rule),
        bodypart=room.bodypart(rule, rule.bodypart),
        limit=_limit(rule.limit),
        **room.target(rule.to),
    )


def _approach(rule: Any, room: Room) -> _core.Condition:
    return _core.approach_condition(
        room.gate(rule),
        bodypart=room.bodypart(rule, rule.bodypart),
        limit=_limit(rule.limit),
        away=isinstance(rule, cfg.RetreatRule),
        window_ms=rule.window_ms,
        **room.target(rule.to),
    )


def _angle(rule: cfg.AngleRule, room: Room) -> _core.Condition:
    return _core.angle_condition(
        room.gate(rule),
        bodyparts=room.bodyparts(rule, rule.bodyparts),
        limit=_limit(rule.limit),
        point=rule.point,
        heading_deg=rule.heading_deg,
    )


def _egocentric(rule: cfg.EgocentricRule, room: Room) -> _core.Condition:
    return _core.egocentric_condition(
        room.gate(rule),
        bodyparts=room.bodyparts(rule, rule.bodyparts),
        limit=_limit(rule.limit),
        side=rule.side,
    )


def _facing_edge(rule: cfg.FacingEdgeRule, room: Room) -> _core.Condition:
    size = rule.size or room.frame_size
    if size is None:
        raise ConfigError("size: the frame's is not known; allowed: its width and height, px")
    point = _middle_of_edge(rule.edge, size)
    return _core.angle_condition(
        room.gate(rule),
        bodyparts=room.bodyparts(rule, rule.bodyparts),
        limit=_limit(rule.limit),
        point=room.calibrated(rule, point),
    )


def _middle_of_edge(edge: str, size: Sequence[int]) -> Point:
    """px; the frame reaches from -0.5 to its size less 0.5."""
    right, bottom = size[0] - 0.5, size[1] - 0.5
    middle = ((size[0] - 1) / 2, (size[1] - 1) / 2)
    return {
        "north": (middle[0], -0.5),
        "east": (right, middle[1]),
        "south": (middle[0], bottom),
        "west": (-0.5, middle[1]),
    }[edge]


def _body_length(rule: cfg.BodyLengthRule, room: Room) -> _core.Condition:
    return _core.body_length_condition(
        room.gate(rule), bodyparts=room.bodyparts(rule, rule.bodyparts), limit=_limit(rule.limit)
    )


def _posture(rule: cfg.PostureRule, room: Room) -> _core.Condition:
    return _core.posture_condition(
        room.gate(rule),
        bodyparts=room.bodyparts(rule, rule.bodyparts),
        places=rule.template,
        limit=_limit(rule.limit),
        turn=rule.turn,
        scale=rule.scale,
    )


def _joined(rule: Any, room: Room) -> _core.Condition:
    return _core.join_condition(rule.type, room.rules(rule))


def _not(rule: cfg.NotRule, room: Room) -> _core.Condition:
    return _core.not_condition(room.rules(rule)[0])


def _edge_of_rule(rule: Any, room: Room) -> _core.Condition:
    return _core.edge_of_rule_condition(room.rules(rule)[0], begins=isinstance(rule, cfg.BeginsRule))


def _sequence(rule: cfg.SequenceRule, room: Room) -> _core.Condition:
    return _core.sequence_condition(room.rules(rule), within_ms=rule.within_ms)


_MAKERS: dict[type[Any], Callable[[Any, Room], _core.Condition]] = {
    cfg.InZoneRule: _in_zone,
    cfg.OutsideZoneRule: _in_zone,
    cfg.ZoneEntryRule: _zone_edge,
    cfg.ZoneExitRule: _zone_edge,
    cfg.DwellRule: _dwell,
    cfg.HeadInZoneRule: _head_in_zone,
    cfg.LineCrossingRule: _crossing,
    cfg.SpeedRule: _speed,
    cfg.FreezingRule: _freezing,
    cfg.AccelerationRule: _acceleration,
    cfg.AngularVelocityRule: _angular_velocity,
    cfg.DistanceRule: _distance,
    cfg.ContactRule: _contact,
    cfg.ApproachRule: _approach,
    cfg.RetreatRule: _approach,
    cfg.AngleRule: _angle,
    cfg.EgocentricRule: _egocentric,
    cfg.FacingEdgeRule: _facing_edge,
    cfg.BodyLengthRule: _body_length,
    cfg.PostureRule: _posture,
    cfg.AnyRule: _joined,
    cfg.AllRule: _joined,
    cfg.NotRule: _not,
    cfg.BeginsRule: _edge_of_rule,
    cfg.EndsRule: _edge_of_rule,
    cfg.SequenceRule: _sequence,
    cfg.ClassifierRule: make_classifier,
    cfg.PluginRule: make_plugin,
}
