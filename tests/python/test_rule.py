"""Zones, conditions and rules against their oracles, and the cases that matter one by one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import core_rules
import oracle.rule as oracle
from fastpose import _core as core
from fastpose.errors import ConfigError

MS = 1_000_000
SEEDS = st.integers(0, 2**32 - 1)
L_SHAPE = [(0, 0), (30, 0), (30, 10), (10, 10), (10, 30), (0, 30)]  # concave


def walk(seed: int, frames: int = 60, individuals: int = 2, bodyparts: int = 3):
    """Poses wandering through 0..100 px with missing keypoints, at irregular times in ns."""
    rng = np.random.default_rng(seed)
    steps = rng.normal(0, 12, (frames, individuals, bodyparts, 2)).cumsum(axis=0)
    folded = 100 - np.abs((50 + steps) % 200 - 100)  # reflected at the borders
    likelihood = rng.uniform(0.4, 1, (frames, individuals, bodyparts, 1))
    poses = np.concatenate([folded, likelihood], axis=-1).astype(np.float32)
    poses[rng.random(poses.shape[:3]) < 0.1, :2] = np.nan
    poses[rng.random(poses.shape[:3]) < 0.05, 2] = np.nan
    times_ns = rng.choice([3 * MS, 10 * MS, 20 * MS, 70 * MS], frames).cumsum() + rng.integers(0, MS, frames)
    return poses, times_ns


def values(rule, poses, times_ns):
    return [rule.update(pose, int(time_ns)) for pose, time_ns in zip(poses, times_ns, strict=True)]


def pose(*places, likelihood=1.0):
    """One individual with bodyparts at these places."""
    return np.array([[(x, y, likelihood) for x, y in places]], np.float32)


COMMON = st.fixed_dictionaries(
    {
        "min_likelihood": st.floats(0, 0.9),
        "individual": st.sampled_from(["any", "all", 0, 1]),
        "min_duration_ms": st.sampled_from([0.0, 5.0, 45.0]),
        "refractory_ms": st.sampled_from([0.0, 60.0, 150.0]),
        "missing": st.sampled_from(["hold", "false", "true"]),
    }
)
HYSTERESIS = st.sampled_from([0.0, 7.3])
LIMIT = st.tuples(st.booleans(), st.floats(0.1, 0.9))


def assert_equals_oracle(make, arguments, condition, seed, common):
    poses, times_ns = walk(seed)
    rule = make(poses.shape[1:3], **arguments, **common)
    assert values(rule, poses, times_ns) == oracle.rule_values(condition, poses, times_ns, **common)


# Zones.


def star(seed: int) -> list[tuple[float, float]]:
    """A random polygon around (50, 50), mostly concave, without crossing edges."""
    rng = np.random.default_rng(seed)
    count = int(rng.integers(3, 12))
    angles = 2 * np.pi * (np.arange(count) + rng.uniform(0.1, 0.9, count)) / count
    radii = rng.uniform(5, 60, count)
    return [(50 + r * np.cos(a), 50 + r * np.sin(a)) for r, a in zip(radii, angles, strict=True)]


@settings(max_examples=150, deadline=None)
@given(seed=SEEDS, x=st.floats(-20, 120), y=st.floats(-20, 120), reverse=st.booleans())
def test_polygon_equals_oracle(seed, x, y, reverse):
    corners = star(seed)
    zone = core.polygon_zone(corners[::-1] if reverse else corners)
    expected = oracle.polygon_signed_distance(corners, (x, y))
    assert zone.signed_distance(x, y) == pytest.approx(expected, abs=1e-9)


@settings(deadline=None)
@given(x=st.floats(-50, 150), y=st.floats(-50, 150))
def test_circle_and_rectangle_equal_oracle(x, y):
    circle = core.circle_zone(center=(40, 60), radius_px=25)
    expected = oracle.circle_signed_distance((40, 60), 25, (x, y))
    assert circle.signed_distance(x, y) == pytest.approx(expected)
    rectangle = core.rectangle_zone(x=10, y=20, width=60, height=33)
    expected = oracle.rectangle_signed_distance(10, 20, 60, 33, (x, y))
    assert rectangle.signed_distance(x, y) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(
    ("place", "distance"),
    [
        ((5, 5), -5),
        ((20, 5), -5),
        ((20, 20), 10),  # in the notch: outside, though within the hull
        ((11, 11), 1),
        ((9, 9), -np.sqrt(2)),  # the re-entrant corner is nearest
        ((-3, -4), 5),
        ((40, 5), 10),
    ],
)
def test_concave_polygon(place, distance):
    zone = core.polygon_zone(L_SHAPE)
    assert zone.signed_distance(*place) == pytest.approx(distance)
    assert zone.contains(*place) == (distance <= 0)


def test_border_belongs_to_the_zone():
    corners = [(1.1, 2.3), (97.7, 13.9), (71.3, 88.1), (33.3, 44.7)]
    zone = core.polygon_zone(corners)
    for start, end in zip(corners, corners[1:] + corners[:1], strict=True):
        for along in np.linspace(0, 1, 23):
            place = (1 - along) * np.array(start) + along * np.array(end)
            assert zone.contains(*place)
            assert not zone.contains(*place, margin_px=-0.01)
    assert core.circle_zone(center=(0, 0), radius_px=5).contains(3, 4)
    assert core.rectangle_zone(x=0, y=0, width=5, height=5).contains(5, 5)


@pytest.mark.parametrize("y", [0.0, 10.0, 20.0])
def test_ray_through_corners_counts_once(y):
    diamond = core.polygon_zone([(0, 10), (10, 0), (20, 10), (10, 20)])
    assert diamond.signed_distance(-5, y) > 0
    assert diamond.signed_distance(25, y) > 0
    assert diamond.signed_distance(10, 10) < 0


def test_closed_polygon_is_the_open_one():
    closed = core.polygon_zone([*L_SHAPE, L_SHAPE[0]])
    assert closed.signed_distance(12, 3) == core.polygon_zone(L_SHAPE).signed_distance(12, 3)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: core.polygon_zone([(0, 0), (1, 1)]), "polygon has 2 different corners; allowed: at least 3"),
        (lambda: core.polygon_zone([(0, 0), (1, 1), (2, 2)]), "polygon area is 0; allowed: .* above 0"),
        (lambda: core.polygon_zone([(0, 0), (9, 9), (9, 0), (0, 8)]), "edges 0 and 2 that cross"),
        (
            lambda: core.polygon_zone([(0, 0), (np.nan, 9), (9, 0)]),
            "polygon x is nan; allowed: -1e.06 to 1e.06",
        ),
        (lambda: core.circle_zone(center=(0, 0), radius_px=0), "radius_px is 0; allowed: .* above 0"),
        (lambda: core.rectangle_zone(x=0, y=0, width=-2, height=1), "width is -2; allowed: .* above 0"),
    ],
)
def test_bad_zone_is_named(make, message):
    with pytest.raises(ConfigError, match=message):
        make()


# Conditions.


@settings(max_examples=60, deadline=None)
@given(
    seed=SEEDS,
    common=COMMON,
    hysteresis_px=HYSTERESIS,
    bodyparts=st.sampled_from([[0], [0, 2], [2, 1, 0]]),
    which=st.sampled_from(["any", "all"]),
    outside=st.booleans(),
)
def test_in_zone_equals_oracle(seed, common, hysteresis_px, bodyparts, which, outside):
    corners = star(seed)
    arguments = {
        "zone": core.polygon_zone(corners),
        "bodyparts": bodyparts,
        "which": which,
        "hysteresis_px": hysteresis_px,
    }
    condition = oracle.in_zone(
        lambda place: oracle.polygon_signed_distance(corners, place), bodyparts, which, outside, hysteresis_px
    )
    make = core_rules.outside_zone_rule if outside else core_rules.in_zone_rule
    assert_equals_oracle(make, arguments, condition, seed, common)


@settings(max_examples=60, deadline=None)
@given(seed=SEEDS, common=COMMON, limit=LIMIT, hysteresis=HYSTERESIS, window_ms=st.floats(12, 300))
def test_speed_equals_oracle(seed, common, limit, hysteresis, window_ms):
    above, px_s = limit[0], 1500 * limit[1]
    arguments = {
        "bodypart": 1,
        "above_px_s" if above else "below_px_s": px_s,
        "window_ms": window_ms,
        "hysteresis_px_s": 15 * hysteresis,
    }
    condition = oracle.speed(
        1,
        above=px_s if above else None,
        below=None if above else px_s,
        window_ms=round(window_ms * MS) / MS,
        hysteresis=15 * hysteresis,
    )
    assert_equals_oracle(core_rules.speed_rule, arguments, condition, seed, common)


@settings(max_examples=60, deadline=None)
@given(seed=SEEDS, common=COMMON, limit=LIMIT, hysteresis=HYSTERESIS)
def test_distance_equals_oracle(seed, common, limit, hysteresis):
    above, px = limit[0], 100 * limit[1]
    arguments = {
        "bodyparts": (2, 0),
        "above_px" if above else "below_px": px,
        "hysteresis_px": hysteresis,
    }
    condition = oracle.distance((2, 0), px if above else None, None if above else px, hysteresis)
    assert_equals_oracle(core_rules.distance_rule, arguments, condition, seed, common)


@settings(max_examples=60, deadline=None)
@given(
    seed=SEEDS,
    common=COMMON,
    limit=LIMIT,
    hysteresis=HYSTERESIS,
    form=st.sampled_from(
        [
            {"bodyparts": [0, 1, 2]},
            {"bodyparts": [2, 0], "point": (31.5, 64.5)},
            {"bodyparts": [1, 2], "heading_deg": -130.0},
        ]
    ),
)
def test_angle_equals_oracle(seed, common, limit, hysteresis, form):
    above, deg = limit[0], 10 + 160 * limit[1]
    arguments = {**form, "above_deg" if above else "below_deg": deg, "hysteresis_deg": hysteresis}
    condition = oracle.angle(
        **form, above=deg if above else None, below=None if above else deg, hysteresis=hysteresis
    )
    assert_equals_oracle(core_rules.angle_rule, arguments, condition, seed, common)


@pytest.mark.parametrize(
    ("form", "places", "degrees"),
    [
        ({"bodyparts": [0, 1, 2]}, [(10, 0), (0, 0), (0, 10)], 90),
        ({"bodyparts": [0, 1, 2]}, [(10, 0), (0, 0), (-10, 0)], 180),
        ({"bodyparts": [0, 1], "point": (20, 0)}, [(0, 0), (10, 0)], 0),
        ({"bodyparts": [0, 1], "point": (10, -5)}, [(0, 0), (10, 0)], 90),
        ({"bodyparts": [0, 1], "heading_deg": 90}, [(0, 0), (0, 10)], 0),  # y points down
        ({"bodyparts": [0, 1], "heading_deg": -170}, [(0, 0), (-10, 1.763)], 20),  # across the seam at 180
    ],
)
def test_angle_forms(form, places, degrees):
    at = pose(*places)
    shape = (1, len(places))
    if degrees > 0.5:
        assert core_rules.angle_rule(shape, above_deg=degrees - 0.5, **form).update(at, 0)
        assert not core_rules.angle_rule(shape, below_deg=degrees - 0.5, **form).update(at, 0)
    if degrees < 179.5:
        assert core_rules.angle_rule(shape, below_deg=degrees + 0.5, **form).update(at, 0)
        assert not core_rules.angle_rule(shape, above_deg=degrees + 0.5, **form).update(at, 0)


def test_speed_window_spans_time_over_drops():
    rule = core_rules.speed_rule((1, 1), bodypart=0, above_px_s=99, window_ms=50)
    times_ms = np.array([0, 10, 20, 50, 60, 90, 100])  # 100 px/s throughout, frames dropped
    track = [rule.update(pose((0.1 * ms, 0)), int(ms) * MS) for ms in times_ms]
    assert track == [False] + [True] * 6
    slow = core_rules.speed_rule((1, 1), bodypart=0, above_px_s=101, window_ms=50)
    assert not any(slow.update(pose((0.1 * ms, 0)), int(ms) * MS) for ms in times_ms)


def test_speed_is_missing_without_two_positions_in_the_window():
    rule = core_rules.speed_rule((1, 1), bodypart=0, above_px_s=1, window_ms=50, missing="true")
    still = pose((5, 5))
    assert rule.update(still, 0)  # one position: missing
    assert not rule.update(still, 10 * MS)  # two: not moving
    assert rule.update(still, 100 * MS)  # the others left the window
    assert not rule.update(still, 110 * MS)
    assert rule.update(still, 105 * MS)  # time went back: begins anew


def test_individual_any_all_and_fixed():
    zone = core.circle_zone(center=(0, 0), radius_px=10)
    inside, outside, gone = (1, 1, 1), (50, 50, 1), (np.nan, np.nan, 0)
    arguments = {"zone": zone, "bodyparts": [0], "missing": "true"}
    anyone = core_rules.in_zone_rule((2, 1), **arguments)
    everyone = core_rules.in_zone_rule((2, 1), individual="all", **arguments)
    second = core_rules.in_zone_rule((2, 1), individual=1, **arguments)
    for first_at, second_at, by_any, by_all, by_second in [
        (inside, outside, True, False, False),
        (outside, inside, True, False, True),
        (inside, inside, True, True, True),
        (outside, gone, False, False, True),
        (inside, gone, True, True, True),  # all: missing, as one animal is
        (gone, gone, True, True, True),
        (gone, outside, False, False, False),
    ]:
        poses = np.array([[first_at], [second_at]], np.float32)
        assert anyone.update(poses, 0) == by_any
        assert everyone.update(poses, 0) == by_all
        assert second.update(poses, 0) == by_second


def test_all_holds_while_one_is_missing():
    zone = core.circle_zone(center=(0, 0), radius_px=10)
    everyone = core_rules.in_zone_rule((2, 1), zone=zone, bodyparts=[0], individual="all")
    inside, gone = (1, 1, 1), (np.nan, np.nan, 0)
    assert not everyone.update(np.array([[inside], [gone]], np.float32), 0)
    assert everyone.update(np.array([[inside], [inside]], np.float32), 1)
    assert everyone.update(np.array([[gone], [inside]], np.float32), 2)


def test_likelihood_equal_to_the_gate_passes():
    zone = core.circle_zone(center=(0, 0), radius_px=10)
    rule = core_rules.in_zone_rule((1, 1), zone=zone, bodyparts=[0], min_likelihood=0.7)
    assert not rule.update(pose((0, 0), likelihood=np.nextafter(np.float32(0.7), np.float32(0))), 0)
    assert rule.update(pose((0, 0), likelihood=0.7), 1)


def test_rule_reads_a_read_only_pose():
    at = pose((0, 0))
    at.flags.writeable = False
    zone = core.circle_zone(center=(0, 0), radius_px=10)
    assert core_rules.in_zone_rule((1, 1), zone=zone, bodyparts=[0]).update(at, 0)


@pytest.mark.parametrize(
    ("make", "arguments", "message"),
    [
        (
            core_rules.speed_rule,
            {"bodypart": 5, "above_px_s": 1},
            "bodypart is 5; allowed: an index from 0 to 2",
        ),
        (
            core_rules.speed_rule,
            {"bodypart": 0},
            "above_px_s and below_px_s are not given; allowed: exactly one",
        ),
        (core_rules.speed_rule, {"bodypart": 0, "above_px_s": 1, "below_px_s": 2}, "are both given"),
        (
            core_rules.speed_rule,
            {"bodypart": 0, "above_px_s": 1, "window_ms": 0},
            "window_ms is 0; allowed: .*above 0",
        ),
        (
            core_rules.speed_rule,
            {"bodypart": 0, "above_px_s": 10, "hysteresis_px_s": 10},
            "hysteresis_px_s is 10; allowed: 0 or less than 10, else the rule never ends",
        ),
        (core_rules.distance_rule, {"bodyparts": (1, 1), "below_px": 1}, "bodyparts names 1 twice"),
        (
            core_rules.distance_rule,
            {"bodyparts": (0, 1), "below_px": 0},
            "below_px is 0; allowed: .* above 0",
        ),
        (
            core_rules.distance_rule,
            {"bodyparts": (0, 1), "below_px": 1, "hysteresis_px": -1},
            "hysteresis_px is -1",
        ),
        (
            core_rules.angle_rule,
            {"bodyparts": [0, 1], "below_deg": 9},
            "2 bodyparts, no point and no heading_deg",
        ),
        (
            core_rules.angle_rule,
            {"bodyparts": [0, 1, 2], "point": (0, 0), "below_deg": 9},
            "3 bodyparts, a point and no heading_deg",
        ),
        (
            core_rules.angle_rule,
            {"bodyparts": [0, 1, 2], "above_deg": 180},
            "above_deg is 180; allowed: less than 180",
        ),
        (
            core_rules.angle_rule,
            {"bodyparts": [0, 1, 2], "below_deg": 170, "hysteresis_deg": 10},
            "hysteresis_deg is 10; allowed: 0 or less than 10",
        ),
        (
            core_rules.distance_rule,
            {"bodyparts": (0, 1), "below_px": 1, "min_likelihood": 1.1},
            "min_likelihood is 1.1; allowed: 0 to 1",
        ),
        (
            core_rules.distance_rule,
            {"bodyparts": (0, 1), "below_px": 1, "individual": 2},
            "individual is 2; allowed: an index from 0 to 1",
        ),
        (
            core_rules.distance_rule,
            {"bodyparts": (0, 1), "below_px": 1, "individual": "some"},
            "individual is 'some'; allowed: an index, any, all",
        ),
        (
            core_rules.distance_rule,
            {"bodyparts": (0, 1), "below_px": 1, "missing": "ignore"},
            "missing is 'ignore'; allowed: hold, false, true",
        ),
        (
            core_rules.distance_rule,
            {"bodyparts": (0, 1), "below_px": 1, "min_duration_ms": -5},
            "min_duration_ms is -5; allowed: 0 to",
        ),
    ],
)
def test_bad_rule_is_named(make, arguments, message):
    with pytest.raises(ConfigError, match=message):
        make((2, 3), **arguments)


@pytest.mark.parametrize("bodyparts", [5, 39])
def test_bench_entry_points_give_a_time(bodyparts):
    poses = np.ones((1, bodyparts, 3), np.float32)
    zone = core.polygon_zone(L_SHAPE)
    rule = core_rules.in_zone_rule((1, bodyparts), zone=zone, bodyparts=list(range(bodyparts)), which="all")
    assert core.bench_rule(rule, poses, calls=100) > 0
    assert core.bench_filter(core.kalman_filter((1, bodyparts)), poses, calls=100) > 0
