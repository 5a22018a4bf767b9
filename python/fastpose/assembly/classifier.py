"""Classifier rules: their features, and what runs their ONNX model in the loop."""

from __future__ import annotations

import numpy as np

from fastpose import _core
from fastpose import config as cfg
from fastpose.assembly.classifier_model import load_scorer
from fastpose.assembly.rule_room import Room
from fastpose.errors import ConfigError, FastposeError

__all__ = ["make_classifier"]

MEASURED_RUNS = 300
NS_PER_MS = 1_000_000

FeatureParts = tuple[str, list[tuple[int, int]]]  # kind, (individual, body part)


def make_classifier(rule: cfg.ClassifierRule, room: Room) -> _core.Condition:
    """Return the condition; its cost is measured.

    Raises
    ------
    ConfigError
        The model cannot be read or run, does not take these features, or costs more than its budget.
    """
    gate = room.gate(rule)
    try:
        scorer = load_scorer(rule.model)
        condition = _core.classifier_condition(
            gate,
            scorer=scorer,
            features=_features(rule, room),
            window=rule.window,
            window_frames=rule.window_frames,
            class_index=rule.class_index,
            above=rule.above,
            hysteresis=rule.hysteresis,
            hold_ns=round(rule.hold_ms * NS_PER_MS),
            max_gap_ns=round(rule.max_gap_ms * NS_PER_MS),
        )
    except FastposeError as error:
        raise ConfigError(f"model {str(rule.model)!r}: {error}") from None
    _require_within_budget(scorer, rule.budget_ms)
    return condition


def _require_within_budget(scorer: _core.Scorer, budget_ms: float) -> None:
    scorer.time_runs(20)
    cost_ms = float(np.percentile(scorer.time_runs(MEASURED_RUNS), 99)) / NS_PER_MS
    if cost_ms > budget_ms:
        raise ConfigError(
            f"budget_ms is {budget_ms:g}, and an answer takes {cost_ms:.2g} ms (p99 of {MEASURED_RUNS}, "
            f"{scorer.description}); allowed: a smaller model, or a budget that the loop can spare"
        )


def _features(rule: cfg.ClassifierRule, room: Room) -> list[FeatureParts]:
    animals = room.package.count_of_individuals - bool(room.package.unique_bodyparts)
    asked = range(animals) if rule.individuals is None else rule.individuals
    individuals = [room.one_individual(individual, "individuals") for individual in asked]
    found = [_of(feature, individual, room) for individual in individuals for feature in rule.features]
    once = [_of_two(feature, room) for feature in rule.features if feature.between is not None]
    return [parts for parts in found if parts is not None] + once


def _of(feature: cfg.Feature, individual: int, room: Room) -> FeatureParts | None:
    if feature.between is not None:
        return None
    return feature.kind, [(individual, room.index_of_bodypart(name)) for name in feature.bodyparts]


def _of_two(feature: cfg.Feature, room: Room) -> FeatureParts:
    assert feature.between is not None
    pairs = zip(feature.between, feature.bodyparts, strict=True)
    return feature.kind, [
        (room.one_individual(asked, "between"), room.index_of_bodypart(name)) for asked, name in pairs
    ]
