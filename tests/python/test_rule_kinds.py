"""Rules on motion, shape, other animals, visits, lines and other rules against their oracles."""

# ruff: noqa: E501  tables read best with one case a line

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import oracle.rule as oracle
import oracle.rule_kinds as kinds
from core_rules import make_rule
from fastpose import _core as core
from fastpose.errors import ConfigError
from test_rule import COMMON, HYSTERESIS, LIMIT, MS, SEEDS, assert_equals_oracle, pose, star, values, walk

SIDES = st.sampled_from(["left", "right", "both"])
WINDOW = st.integers(25, 300)
SLOW = settings(max_examples=25, deadline=None)


def limit_of(limit: tuple[bool, float], most: float, hysteresis: float = 0.0) -> dict[str, Any]:
    above, share = limit
    return {"above" if above else "below": most * share, "hysteresis": hysteresis}


def oracle_limit(values: dict[str, Any]) -> dict[str, Any]:
    return {"above": None, "below": None, **values}


def check(kind, unit, arguments, condition, seed, common):
    def make(shape, **given):
        return make_rule(kind, shape, unit, **given)

    assert_equals_oracle(make, arguments, condition, seed, common)


@settings(max_examples=80, deadline=None)
@given(x=st.floats(-80, 180), y=st.floats(-80, 180), b=st.floats(2, 60), angle=st.floats(-90, 90))
def test_ellipse_equals_oracle(x, y, b, angle):
    zone = core.ellipse_zone(center=(40, 50), half_axes_px=(30, b), angle_deg=angle)
    expected = kinds.ellipse_signed_distance((40, 50), (30, b), angle, (x, y))
    assert zone.signed_distance(x, y) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("place", [(40, 50), (41, 50), (65, 50), (70, 50), (90, 50), (40, 55), (40, 90)])
@pytest.mark.parametrize("half_axes", [(30, 10), (10, 30), (20, 20)])
def test_ellipse_on_its_axes(place, half_axes):
    zone = core.ellipse_zone(center=(40, 50), half_axes_px=half_axes)
    expected = kinds.ellipse_signed_distance((40, 50), half_axes, 0, place)
    assert zone.signed_distance(*place) == pytest.approx(expected, abs=1e-6)


@settings(max_examples=60, deadline=None)
@given(x=st.floats(-50, 150), y=st.floats(-50, 150), angle=st.floats(-180, 180))
def test_square_equals_the_polygon_of_its_corners(x, y, angle):
    turn = np.exp(1j * np.radians(angle))
    corners = [(50 + z.real, 40 + z.imag) for z in (15 * turn * np.array([-1 - 1j, 1 - 1j, 1 + 1j, -1 + 1j]))]
    zone = core.square_zone(center=(50, 40), side_px=30, angle_deg=angle)
    expected = oracle.polygon_signed_distance(corners, (x, y))
    assert zone.signed_distance(x, y) == pytest.approx(expected, abs=1e-6)


@settings(max_examples=60, deadline=None)
@given(seed=SEEDS, x=st.floats(-3, 20), y=st.floats(-3, 14))
def test_mask_equals_oracle(seed, x, y):
    mask = (np.random.default_rng(seed).random((11, 17)) < 0.3).astype(np.uint8)
    mask[0, 0], mask[-1, -1] = 1, 0
    zone = core.mask_zone(mask)
    expected = kinds.mask_signed_distance(mask, (x, y))
    assert zone.signed_distance(x, y) == pytest.approx(expected, abs=1e-5)
    assert zone.contains(x, y) == (expected < 0)


@pytest.mark.parametrize("value", [0, 1])
def test_a_mask_of_one_colour_is_refused(value):
    with pytest.raises(ConfigError, match=r"mask has (no|every) pixel in it; allowed: some of them"):
        core.mask_zone(np.full((4, 5), value, np.uint8))


@SLOW
@given(
    seed=SEEDS,
    common=COMMON,
    limit=LIMIT,
    hysteresis=HYSTERESIS,
    window_ms=WINDOW,
    change=st.sampled_from(["any", "faster", "slower"]),
)
def test_acceleration_equals_oracle(seed, common, limit, hysteresis, window_ms, change):
    given_limit = limit_of(limit, 30_000, 100 * hysteresis)
    arguments = {"bodypart": 1, "change": change, "window_ms": window_ms, **given_limit}
    condition = kinds.acceleration(1, change, window_ms, **oracle_limit(given_limit))
    check("acceleration", "px_s2", arguments, condition, seed, common)


@SLOW
@given(
    seed=SEEDS,
    common=COMMON,
    below=st.floats(50, 2000),
    hysteresis=HYSTERESIS,
    window_ms=WINDOW,
    which=st.sampled_from(["any", "all"]),
)
def test_freezing_equals_oracle(seed, common, below, hysteresis, window_ms, which):
    arguments = {"bodyparts": [0, 2], "which": which, "window_ms": window_ms}
    arguments |= {"below": below, "hysteresis": 15 * hysteresis}
    condition = kinds.freezing([0, 2], which, below, window_ms, 15 * hysteresis)
    check("freezing", "px_s", arguments, condition, seed, common)


@SLOW
@given(
    seed=SEEDS,
    common=COMMON,
    limit=LIMIT,
    hysteresis=HYSTERESIS,
    window_ms=WINDOW,
    side=SIDES,
    bodyparts=st.sampled_from([[0, 1], [2, 0, 1]]),
)
def test_angular_velocity_equals_oracle(seed, common, limit, hysteresis, window_ms, side, bodyparts):
    given_limit = limit_of(limit, 4000, 10 * hysteresis)
    arguments = {"bodyparts": bodyparts, "side": side, "window_ms": window_ms, **given_limit}
    condition = kinds.angular_velocity(bodyparts, side, window_ms, **oracle_limit(given_limit))
    check("angular_velocity", "deg_s", arguments, condition, seed, common)


@SLOW
@given(seed=SEEDS, common=COMMON, limit=LIMIT, hysteresis=HYSTERESIS, side=SIDES)
def test_egocentric_equals_oracle(seed, common, limit, hysteresis, side):
    given_limit = limit_of(limit, 150, hysteresis)
    arguments = {"bodyparts": (2, 0, 1), "side": side, **given_limit}
    condition = kinds.egocentric((2, 0, 1), side, **oracle_limit(given_limit))
    check("egocentric", "deg", arguments, condition, seed, common)


def test_left_and_right_are_the_animals_own_seen_from_above():
    left_turn = pose((0, 0), (10, 0), (20, -10))  # it walks to the right of the frame, y points down
    limit = {"above": 40.0}
    assert make_rule("egocentric", (1, 3), "deg", bodyparts=(0, 1, 2), side="left", **limit).update(
        left_turn, 0
    )
    assert not make_rule("egocentric", (1, 3), "deg", bodyparts=(0, 1, 2), side="right", **limit).update(
        left_turn, 0
    )


@SLOW
@given(seed=SEEDS, common=COMMON, limit=LIMIT, hysteresis=HYSTERESIS)
def test_body_length_equals_oracle(seed, common, limit, hysteresis):
    given_limit = limit_of(limit, 200, hysteresis)
    condition = kinds.body_length([2, 0, 1], **oracle_limit(given_limit))
    check("body_length", "px", {"bodyparts": [2, 0, 1], **given_limit}, condition, seed, common)


@SLOW
@given(
    seed=SEEDS,
    common=COMMON,
    below=st.floats(5, 30),
    hysteresis=HYSTERESIS,
    turn=st.booleans(),
    scale=st.booleans(),
)
def test_posture_equals_oracle(seed, common, below, hysteresis, turn, scale):
    places = [(0.0, 0.0), (30.0, 5.0), (12.0, 40.0)]
    given_limit = {"below": below, "hysteresis": hysteresis}
    shape = {"bodyparts": [0, 1, 2], "places": places, "turn": turn, "scale": scale}
    condition = kinds.posture(**shape, **oracle_limit(given_limit))
    check("posture", "px", {**shape, **given_limit}, condition, seed, common)


TARGETS = st.sampled_from(
    [
        {"point": (40.0, 60.0)},
        {"to_bodypart": 1, "to_individual": "self"},
        {"to_bodypart": 0, "to_individual": "other"},
        {"to_bodypart": 2, "to_individual": 1},
    ]
)


def oracle_target(target: dict[str, Any]) -> dict[str, Any]:
    names = {"to_bodypart": "to", "to_individual": "who", "point": "point"}
    return {names[key]: value for key, value in target.items()}


@SLOW
@given(seed=SEEDS, common=COMMON, below=st.floats(10, 80), hysteresis=HYSTERESIS, target=TARGETS)
def test_contact_equals_oracle(seed, common, below, hysteresis, target):
    given_limit = {"below": below, "hysteresis": hysteresis}
    condition = kinds.contact(0, **oracle_target(target), **oracle_limit(given_limit))
    check("contact", "px", {"bodypart": 0, **target, **given_limit}, condition, seed, common)


@SLOW
@given(
    seed=SEEDS,
    common=COMMON,
    above=st.floats(20, 900),
    hysteresis=HYSTERESIS,
    target=TARGETS,
    away=st.booleans(),
    window_ms=WINDOW,
)
def test_approach_and_retreat_equal_oracle(seed, common, above, hysteresis, target, away, window_ms):
    given_limit = {"above": above, "hysteresis": hysteresis}
    moving = {"away": away, "window_ms": window_ms}
    condition = kinds.approach(0, **oracle_target(target), **moving, **oracle_limit(given_limit))
    check("approach", "px_s", {"bodypart": 0, **target, **moving, **given_limit}, condition, seed, common)


@SLOW
@given(seed=SEEDS, common=COMMON, hysteresis=HYSTERESIS, below=st.floats(20, 120))
def test_head_in_zone_asks_both_of_one_animal(seed, common, hysteresis, below):
    zone = core.circle_zone(center=(50, 50), radius_px=30)
    condition = kinds.both(
        oracle.in_zone(
            lambda place: oracle.circle_signed_distance((50, 50), 30, place), [0], "any", False, hysteresis
        ),
        oracle.angle([1, 2], (10.0, 20.0), below=below),
    )
    gate = {key: common[key] for key in ("min_likelihood", "individual")}
    made = core.head_in_zone_condition(
        core.Gate((2, 3), **gate),
        zone=zone,
        zone_bodyparts=[0],
        hysteresis=hysteresis,
        bodyparts=[1, 2],
        point=(10, 20),
        limit=core.Limit(below=below, unit="deg"),
    )
    timing = {key: common[key] for key in ("min_duration_ms", "refractory_ms", "missing")}
    poses, times_ns = walk(seed)
    assert values(core.Rule(made, **timing), poses, times_ns) == oracle.rule_values(
        condition, poses, times_ns, **common
    )


# Visits.


def zone_series(seed: int, min_duration_ms: float, missing: str):
    """Poses of one animal, their times, the zone's condition, and what the oracle says of it."""
    poses, times_ns = walk(seed, individuals=1, bodyparts=1)
    corners = star(seed)
    condition = oracle.in_zone(lambda place: oracle.polygon_signed_distance(corners, place), [0])
    positions = oracle.gated(poses, 0.6)[:, 0]
    series = oracle.timed(
        lambda i, active: condition(positions[: i + 1], times_ns[: i + 1], active),
        times_ns,
        min_duration_ms=min_duration_ms,
        missing=missing,
    )
    inner = core.in_zone_condition(core.Gate((1, 1)), zone=core.polygon_zone(corners), bodyparts=[0])
    return poses, times_ns, inner, series


@settings(max_examples=40, deadline=None)
@given(
    seed=SEEDS,
    begins=st.booleans(),
    min_duration_ms=st.sampled_from([0.0, 30.0]),
    refractory_ms=st.sampled_from([0.0, 150.0]),
    missing=st.sampled_from(["hold", "false", "true"]),
)
def test_zone_entry_and_exit_equal_oracle(seed, begins, min_duration_ms, refractory_ms, missing):
    poses, times_ns, inner, series = zone_series(seed, min_duration_ms, missing)
    made = core.edge_condition(inner, begins=begins, min_duration_ms=min_duration_ms, missing=missing)
    edges = kinds.edges(*series, begins)
    expected = oracle.timed(kinds.series(edges), times_ns, refractory_ms=refractory_ms)[1]
    assert values(core.Rule(made, refractory_ms=refractory_ms), poses, times_ns) == expected


def test_who_is_in_the_zone_at_the_start_did_not_enter():
    zone = core.circle_zone(center=(0, 0), radius_px=10)
    inner = core.in_zone_condition(core.Gate((1, 1)), zone=zone, bodyparts=[0])
    entry = core.Rule(core.edge_condition(inner, begins=True))
    places = [(0, 0), (0, 0), (50, 0), (0, 0), (0, 0)]
    assert [entry.update(pose(place), i * MS) for i, place in enumerate(places)] == [0, 0, 0, 1, 0]


@settings(max_examples=40, deadline=None)
@given(
    seed=SEEDS,
    above_ms=st.floats(10, 400),
    within_ms=st.sampled_from([None, 500.0, 900.0]),
    missing=st.sampled_from(["hold", "false", "true"]),
)
def test_dwell_equals_oracle(seed, above_ms, within_ms, missing):
    poses, times_ns, inner, (_, inside) = zone_series(seed, 0, missing)
    limit = core.Limit(above=above_ms, unit="ms")
    made = core.dwell_condition(inner, limit=limit, within_ms=within_ms or 0.0, missing=missing)
    expected = [ms > above_ms for ms in kinds.held_ms(inside, times_ns, within_ms)]
    assert values(core.Rule(made), poses, times_ns) == expected


@settings(max_examples=60, deadline=None)
@given(seed=SEEDS, side=SIDES, hysteresis=HYSTERESIS, max_gap_ms=st.sampled_from([15.0, 200.0]))
def test_line_crossing_equals_oracle(seed, side, hysteresis, max_gap_ms):
    poses, times_ns = walk(seed, frames=120, individuals=1, bodyparts=1)
    line = {"start": (20.0, 15.0), "end": (75.0, 90.0), "side": side, "hysteresis": hysteresis}
    rule = make_rule("crossing", (1, 1), bodypart=0, max_gap_ms=max_gap_ms, **line)
    track = oracle.gated(poses, 0.6)[:, 0, 0]
    assert values(rule, poses, times_ns) == kinds.crossings(track, times_ns, max_gap_ms=max_gap_ms, **line)


def test_a_way_past_the_end_of_a_line_crosses_nothing():
    rule = make_rule("crossing", (1, 1), bodypart=0, start=(0, 0), end=(0, 10))
    places = [(-5, 20), (5, 20), (5, 5), (-5, 5), (5, 5)]
    assert [rule.update(pose(place), i * MS) for i, place in enumerate(places)] == [0, 0, 0, 1, 1]


# Rules of rules.


def scripted(bits, extra):
    """A set of rules that each follow one body part across x = 0, then others; a pose and time for a frame."""
    zone = core.rectangle_zone(x=0, y=-1, width=10, height=2)
    count = len(bits[0])
    gate = core.Gate((1, count))
    simple = [core.Rule(core.in_zone_condition(gate, zone=zone, bodyparts=[i])) for i in range(count)]
    rules = core.RuleSet([*simple, *(core.Rule(condition) for condition in extra)])
    return [
        rules.update(pose(*[(5 if bit else -5, 0) for bit in row]), 10 * i * MS)[count:]
        for i, row in enumerate(bits)
    ]


BITS = st.lists(st.tuples(st.booleans(), st.booleans(), st.booleans()), min_size=2, max_size=40)


@settings(max_examples=60, deadline=None)
@given(bits=BITS)
def test_any_all_not_begins_and_ends(bits):
    found = scripted(
        bits,
        [
            core.join_condition("any", [0, 2]),
            core.join_condition("all", [0, 1, 2]),
            core.not_condition(1),
            core.edge_of_rule_condition(2, begins=True),
            core.edge_of_rule_condition(2, begins=False),
        ],
    )
    third = [row[2] for row in bits]
    changes = list(zip([False, *third[:-1]], third, strict=True))
    for row, (was, now), (any_, all_, not_, begins, ends) in zip(bits, changes, found, strict=True):
        assert (any_, all_, not_) == (row[0] or row[2], all(row), not row[1])
        assert (begins, ends) == (now and not was, was and not now)


@settings(max_examples=60, deadline=None)
@given(bits=BITS, within=st.integers(1, 12), order=st.permutations([0, 1, 2]))
def test_sequence_equals_oracle(bits, within, order):
    found = scripted(bits, [core.sequence_condition(order, within_ms=10 * within)])
    begins = [[row[i] and not (k and bits[k - 1][i]) for k, row in enumerate(bits)] for i in order]
    times_ns = np.arange(len(bits)) * 10 * MS
    assert [bool(row[0]) for row in found] == kinds.sequence(begins, times_ns, 10 * within)


def test_rules_are_evaluated_after_those_they_depend_on():
    zone = core.rectangle_zone(x=0, y=-1, width=10, height=2)
    simple = core.in_zone_condition(core.Gate((1, 1)), zone=zone, bodyparts=[0])
    made = [core.not_condition(1), core.not_condition(2), core.join_condition("any", [3]), simple]
    rules = core.RuleSet([core.Rule(condition) for condition in made])
    assert rules.order == [3, 2, 1, 0]
    assert rules.update(pose((5, 0)), 0) == [1, 0, 1, 1]
    assert rules.update(pose((-5, 0)), MS) == [0, 1, 0, 0]


def test_a_circle_of_rules_is_refused():
    made = [core.not_condition(1), core.not_condition(0)]
    with pytest.raises(ConfigError, match="rule 0 depends on itself by way of others"):
        core.RuleSet([core.Rule(condition) for condition in made])
    with pytest.raises(ConfigError, match="a rule that a rule names is 7; allowed: an index from 0 to 0"):
        core.RuleSet([core.Rule(core.not_condition(7))])


# Millimetres.


def test_places_in_mm_come_through_the_homography():
    matrix = np.array([[0.5, 0.02, -3], [-0.01, 0.45, 4], [1e-4, -2e-4, 1]])
    calibration = core.Calibration(matrix.ravel().tolist())
    x, y, w = matrix @ [200, 100, 1]
    assert calibration.to_mm(200, 100) == pytest.approx((x / w, y / w))
    poses, times_ns = walk(3, individuals=1)
    mm = np.concatenate([poses[..., :2], np.ones_like(poses[..., :1])], axis=-1) @ matrix.T
    in_mm = np.concatenate([mm[..., :2] / mm[..., 2:], poses[..., 2:]], axis=-1)
    rule = make_rule("distance", (1, 3), "mm", calibration=calibration, bodyparts=(0, 1), below=20.0)
    condition = oracle.distance((0, 1), below=20.0)
    assert values(rule, poses, times_ns) == oracle.rule_values(condition, in_mm, times_ns)


def test_a_place_beyond_the_horizon_is_missing():
    calibration = core.Calibration([1, 0, 0, 0, 1, 0, -0.01, 0, 1])
    assert np.isnan(calibration.to_mm(200, 0)[0])
    rule = make_rule(
        "in_zone",
        (1, 1),
        calibration=calibration,
        zone=core.circle_zone(center=(0, 0), radius_px=9e5),
        bodyparts=[0],
    )
    assert rule.update(pose((50, 0)), 0)
    assert not make_rule(
        "in_zone",
        (1, 1),
        calibration=calibration,
        zone=core.circle_zone(center=(0, 0), radius_px=9e5),
        bodyparts=[0],
    ).update(pose((150, 0)), 0)


@pytest.mark.parametrize(
    ("kind", "unit", "arguments", "message"),
    [
        ("freezing", "px_s", {"bodyparts": [0], "above": 5}, "below_px_s is not given"),
        ("approach", "mm_s", {"bodypart": 0, "to_bodypart": 1, "below": 5}, "above_mm_s is not given"),
        (
            "contact",
            "px",
            {"bodypart": 0, "to_individual": "self", "below": 5},
            "to.bodypart is the bodypart itself",
        ),
        (
            "contact",
            "px",
            {"bodypart": 0, "to_individual": "some", "below": 5},
            "to.individual is 'some'; allowed",
        ),
        (
            "posture",
            "px",
            {"bodyparts": [0, 1, 2], "places": [(1, 1)] * 3, "below": 5},
            "the size of the template",
        ),
        (
            "posture",
            "px",
            {"bodyparts": [0, 1], "places": [(1, 1)] * 2, "below": 5},
            "posture has 2 bodyparts and 2",
        ),
        (
            "body_length",
            "px",
            {"bodyparts": [0], "below": 5},
            "body_length has 1 bodyparts; allowed: at least 2",
        ),
        (
            "acceleration",
            "px_s2",
            {"bodypart": 0, "change": "up", "below": 5},
            "change is 'up'; allowed: any, faster",
        ),
        (
            "egocentric",
            "deg",
            {"bodyparts": (0, 1, 2), "side": "up", "below": 5},
            "side is 'up'; allowed: left",
        ),
        ("crossing", None, {"bodypart": 0, "start": (1, 1), "end": (1, 1)}, "the length of the line is 0"),
    ],
)
def test_bad_rule_is_named(kind, unit, arguments, message):
    with pytest.raises(ConfigError, match=message):
        make_rule(kind, (2, 3), unit, **arguments)
