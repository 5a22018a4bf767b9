"""When a light went on, by its brightness: the truth lies between the limits that are told."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastpose.loopback.onset import Floats, Int64, Onset, onsets

MS = 1_000_000
DIM = 0.02


def brightness(starts: Int64, exposure_ns: int, on_ns: int, off_ns: int) -> Floats:
    """(n,) part of each exposure for which the light was on."""
    begin, end = np.maximum(starts, on_ns), np.minimum(starts + exposure_ns, off_ns)
    return np.maximum(end - begin, 0) / exposure_ns


def found(starts: Int64, fractions: Floats, exposure_ns: int | None) -> list[Onset]:
    return onsets(starts, fractions, exposure_ns=exposure_ns, period_ns=10 * MS, dim=DIM)


STARTS = np.arange(20) * 10 * MS + 7_000


@settings(deadline=None)
@given(
    on_ms=st.floats(20, 120),
    length_ms=st.floats(0.1, 60),
    exposure_ms=st.floats(0.05, 10),
    known=st.booleans(),
    lost=st.sets(st.integers(0, 19), max_size=4),
)
def test_the_truth_lies_between_the_limits(
    on_ms: float, length_ms: float, exposure_ms: float, known: bool, lost: set[int]
) -> None:
    on_ns, exposure_ns = round(on_ms * MS), round(exposure_ms * MS)
    fractions = brightness(STARTS, exposure_ns, on_ns, on_ns + round(length_ms * MS))
    fractions[list(lost)] = np.nan
    lights = found(STARTS, fractions, exposure_ns if known else None)
    assert sum(not light.short for light in lights) <= 1
    for light in lights:
        if not light.short:
            assert light.earliest_ns - 1 <= on_ns <= light.latest_ns + 1


@settings(deadline=None)
@given(on_ms=st.floats(20, 120), exposure_ms=st.floats(0.05, 10))
def test_a_light_of_two_frames_is_always_found_and_known_to_the_gap(on_ms: float, exposure_ms: float) -> None:
    on_ns, exposure_ns = round(on_ms * MS), round(exposure_ms * MS)
    fractions = brightness(STARTS, exposure_ns, on_ns, on_ns + 21 * MS)
    (light,) = found(STARTS, fractions, exposure_ns)
    assert not light.short
    gap_ns = 10 * MS - exposure_ns
    assert light.latest_ns - light.earliest_ns <= gap_ns + 2 * DIM * exposure_ns + 2
    (bounded,) = found(STARTS, fractions, None)
    assert bounded.latest_ns - bounded.earliest_ns <= (1 + DIM) * 10 * MS + 1


def test_within_an_exposure_it_is_known_exactly() -> None:
    fractions = np.zeros(20)
    fractions[5], fractions[6:9] = 0.25, 1
    (light,) = found(STARTS, fractions, 8 * MS)
    assert (light.frame, light.earliest_ns, light.latest_ns) == (5, STARTS[5] + 6 * MS, STARTS[5] + 6 * MS)


@pytest.mark.parametrize("lit", [[0.4], [0.4, 0.0, 0.3]])
def test_a_flash_within_one_exposure_is_short(lit: list[float]) -> None:
    fractions = np.zeros(20)
    fractions[5 : 5 + len(lit)] = lit
    lights = found(STARTS, fractions, 8 * MS)
    assert lights and all(light.short for light in lights)


def test_noise_is_no_light_and_no_dark() -> None:
    noisy = np.tile([0.01, -0.015], 10)
    assert found(STARTS, noisy, 8 * MS) == []
    noisy[8:] += 1
    (light,) = found(STARTS, noisy, 8 * MS)
    assert light.frame == 8
    assert light.earliest_ns < STARTS[7] + 8 * MS < STARTS[8] < light.latest_ns


def test_a_shadow_over_the_light_moves_nothing() -> None:
    """An animal that comes near takes 15 % of what is seen there, and goes again."""
    shadow = -0.15 * np.clip(np.arange(40) - 5, 0, 10) / 10 + 0.15 * np.clip(np.arange(40) - 28, 0, 10) / 10
    starts = np.arange(40) * 10 * MS
    light = np.zeros(40)
    for at in (3, 18, 34):
        light[at], light[at + 1 : at + 3] = 0.25, 1
    lights = found(starts, light + shadow, 8 * MS)
    lights = [each for each in lights if not each.short]
    assert [each.frame for each in lights] == [3, 18, 34]
    for each in lights:
        assert each.earliest_ns == pytest.approx(starts[each.frame] + 6 * MS, abs=0.07 * 8 * MS)


def test_a_scene_that_became_brighter_while_the_light_was_on() -> None:
    fractions = np.concatenate([np.zeros(5), np.ones(5), np.full(5, 0.2), [0.7], np.full(4, 1.2)])
    lights = found(STARTS, fractions, 8 * MS)
    assert [each.frame for each in lights] == [5, 15]
    assert lights[1].earliest_ns == STARTS[15] + 4 * MS


def test_a_light_that_was_on_from_the_first_frame_has_no_beginning() -> None:
    assert found(STARTS, np.ones(20), 8 * MS) == []
