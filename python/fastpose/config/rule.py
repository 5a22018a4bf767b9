"""Rules: conditions on poses with their hysteresis and timing."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from fastpose.config.rule_classifier import ClassifierRule
from fastpose.config.rule_composite import AllRule, AnyRule, BeginsRule, EndsRule, NotRule, SequenceRule
from fastpose.config.rule_motion import AccelerationRule, AngularVelocityRule, FreezingRule, SpeedRule
from fastpose.config.rule_parts import PoseRule, TimedRule
from fastpose.config.rule_place import (
    AngleRule,
    ApproachRule,
    BodyLengthRule,
    ContactRule,
    DistanceRule,
    EgocentricRule,
    FacingEdgeRule,
    PostureRule,
    RetreatRule,
    Target,
)
from fastpose.config.rule_plugin import PluginRule
from fastpose.config.rule_zone import (
    DwellRule,
    HeadInZoneRule,
    InZoneRule,
    LineCrossingRule,
    OutsideZoneRule,
    ZoneEntryRule,
    ZoneExitRule,
    ZoneRule,
)

__all__ = [
    "AccelerationRule",
    "AllRule",
    "AngleRule",
    "AngularVelocityRule",
    "AnyRule",
    "ApproachRule",
    "BeginsRule",
    "BodyLengthRule",
    "ClassifierRule",
    "ContactRule",
    "DistanceRule",
    "DwellRule",
    "EgocentricRule",
    "EndsRule",
    "FacingEdgeRule",
    "FreezingRule",
    "HeadInZoneRule",
    "InZoneRule",
    "LineCrossingRule",
    "NotRule",
    "OutsideZoneRule",
    "PluginRule",
    "PoseRule",
    "PostureRule",
    "RetreatRule",
    "Rule",
    "SequenceRule",
    "SpeedRule",
    "Target",
    "TimedRule",
    "ZoneEntryRule",
    "ZoneExitRule",
    "ZoneRule",
]

Rule = Annotated[
    InZoneRule
    | OutsideZoneRule
    | ZoneEntryRule
    | ZoneExitRule
    | DwellRule
    | HeadInZoneRule
    | LineCrossingRule
    | SpeedRule
    | FreezingRule
    | AccelerationRule
    | AngularVelocityRule
    | DistanceRule
    | ContactRule
    | ApproachRule
    | RetreatRule
    | AngleRule
    | EgocentricRule
    | FacingEdgeRule
    | BodyLengthRule
    | PostureRule
    | AnyRule
    | AllRule
    | NotRule
    | BeginsRule
    | EndsRule
    | SequenceRule
    | ClassifierRule
    | PluginRule,
    Field(discriminator="type"),
]
