"""The LED's place and levels are learned, or refused with the reason."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from fastpose.errors import ConfigError
from fastpose.loopback.spot import Phase, Spot, grey_levels, learn_spot

HEIGHT, WIDTH, FRAMES = 48, 64, 6
Floats = npt.NDArray[np.float64]
Paint = Callable[[Floats, int], None]


def disc(level: float, *, x: int = 20, y: int = 30, radius: float = 4.3) -> Paint:
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    inside = np.hypot(columns - x, rows - y) < radius
    return lambda frame, _turn: frame.__iadd__(inside * level)


def phases(*lights: Paint, always: Paint | None = None, noise: float = 2.0, floor: float = 90) -> list[Phase]:
    """Off, on, off, on, off, on, off; `always` paints into every frame, with the number of its phase."""
    draw, found = np.random.default_rng(0), []
    for turn in range(7):
        phase = Phase(on=turn % 2 == 1)
        for _ in range(FRAMES):
            frame = np.full((HEIGHT, WIDTH), floor) + draw.normal(0, noise, (HEIGHT, WIDTH))
            for light in lights if phase.on else ():
                light(frame, turn)
            if always is not None:
                always(frame, turn)
            phase.frames.append(np.clip(frame, 0, 255).astype(np.uint8))
        found.append(phase)
    return found


def test_the_led_is_found_with_its_levels() -> None:
    spot = learn_spot(phases(disc(80)), white=255)
    assert spot.roi == (16, 26, 9, 9)
    assert spot.off == pytest.approx(89.5, abs=0.5)
    covered = np.count_nonzero(disc_of(9)) / 81
    assert spot.on - spot.off == pytest.approx(80 * covered, abs=1)
    assert spot.fraction((spot.on + spot.off) / 2) == pytest.approx(0.5)
    assert 0.02 <= spot.dim < 0.1


def disc_of(size: int) -> Any:
    rows, columns = np.mgrid[:size, :size] - size // 2
    return np.hypot(columns, rows) < 4.3


def test_an_animal_that_walks_is_no_led() -> None:
    def animal(frame: Floats, turn: int) -> None:
        frame[4:14, 5 + 6 * turn : 15 + 6 * turn] -= 60  # what it uncovers gets brighter, once

    assert learn_spot(phases(disc(80), always=animal), white=255).roi == (16, 26, 9, 9)


def test_the_user_says_where_it_is() -> None:
    spot = learn_spot(phases(disc(80)), white=255, roi=(18, 28, 5, 5))
    assert (spot.roi, round(spot.on - spot.off)) == ((18, 28, 5, 5), 80)


@pytest.mark.parametrize(
    ("made", "says"),
    [
        (phases(), "nothing in the frame gets brighter"),
        (phases(disc(-60)), "nothing in the frame gets brighter"),
        (phases(disc(80, radius=40)), r"\d+% of the frame gets brighter"),
        (phases(disc(250)), "is saturated: .* dim it, or shorten exposure_us"),
    ],
)
def test_what_is_no_led_is_refused(made: list[Phase], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        learn_spot(made, white=255)


def test_too_dim_and_unsteady_leds_are_refused() -> None:
    with pytest.raises(ConfigError, match="the LED at 18,28,5,5 is too dim: it adds"):
        learn_spot(phases(disc(8), noise=6), white=255, roi=(18, 28, 5, 5))
    with pytest.raises(ConfigError, match="too dim"):
        learn_spot(phases(), white=255, roi=(18, 28, 5, 5))

    def lamp(frame: Floats, turn: int) -> None:
        frame += 10 * (turn >= 4)

    with pytest.raises(ConfigError, match="something else than the LED changes at"):
        learn_spot(phases(disc(60), always=lamp), white=255, roi=(18, 28, 5, 5))


@pytest.mark.parametrize("roi", [(60, 0, 5, 5), (-1, 0, 5, 5), (0, 0, 0, 5), (0, 44, 5, 5)])
def test_a_place_outside_the_frame_is_refused(roi: tuple[int, int, int, int]) -> None:
    with pytest.raises(ConfigError, match="allowed: x,y,w,h inside the frame of 64x48 px"):
        learn_spot(phases(disc(80)), white=255, roi=roi)


def test_without_frames_of_both_states_nothing_is_learned() -> None:
    with pytest.raises(ConfigError, match="no frame was exposed while the LED was on"):
        learn_spot([phase for phase in phases(disc(80)) if not phase.on], white=255)


def test_levels_of_every_layout() -> None:
    spot = Spot((2, 1, 2, 2), off=0, on=100, noise=1)
    grey = np.zeros((6, 8), np.uint8)
    grey[1:3, 2:4] = 50
    yuyv = np.stack([grey, np.full_like(grey, 128)], axis=2)
    nv12 = np.concatenate([grey, np.full((3, 8), 128, np.uint8)])
    rgb = np.repeat(grey[:, :, None], 3, axis=2)
    for pixels, name in [(grey, "mono8"), (yuyv, "yuyv"), (nv12, "nv12"), (rgb, "rgb8")]:
        assert spot.level_of(grey_levels(pixels, name)) == 50, name
    assert grey_levels(nv12, "nv12").shape == grey.shape


def test_a_red_led_is_found_in_colour() -> None:
    def in_red(phase: Phase) -> Phase:
        return Phase(phase.on, [np.stack([f, f * 0 + 90, f * 0 + 90], axis=2) for f in phase.frames])

    assert learn_spot([in_red(phase) for phase in phases(disc(80))], white=255).roi == (16, 26, 9, 9)
