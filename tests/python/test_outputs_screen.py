"""Visual stimuli on a screen of memory (SDL's dummy driver): what every pixel shows."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from fastpose.config import config_of_output
from fastpose.config.beside import Grating
from fastpose.errors import OutputError
from fastpose.outputs.stimuli import grating_pixels

pytest.importorskip("pygame")
SIZE = (160, 120)


@pytest.fixture(autouse=True)
def screen_of_memory(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    from fastpose.outputs import screen

    monkeypatch.setitem(os.environ, "SDL_VIDEODRIVER", "dummy")
    yield
    for display in screen._displays.values():
        display.close()
    screen._displays.clear()


def opened(name: str, stimulus: dict[str, Any], base: Path = Path(), **more: Any) -> Any:
    from fastpose.outputs import screen

    given = {"driver": "screen", "display": 0, "size": SIZE, "stimulus": stimulus, **more}
    return screen.open(name, config_of_output(given, base=base))


def pixels(line: Any) -> np.ndarray:
    shown: np.ndarray = line._display.pixels()
    return shown


def test_image_is_shown_in_the_middle_while_high(tmp_path: Path) -> None:
    Image.new("RGB", (40, 20), (255, 0, 0)).save(tmp_path / "red.png")
    line = opened("cue", {"image": "red.png"}, tmp_path, background=[10, 20, 30])
    assert (pixels(line) == (10, 20, 30)).all()
    line.write(True)
    shown = pixels(line)
    assert (shown[50:70, 60:100] == (255, 0, 0)).all()
    assert (shown[:50] == (10, 20, 30)).all() and (shown[:, :60] == (10, 20, 30)).all()
    line.write(False)
    assert (pixels(line) == (10, 20, 30)).all()


def test_image_larger_than_the_screen_is_made_to_fit(tmp_path: Path) -> None:
    Image.new("RGB", (1600, 600), (0, 255, 0)).save(tmp_path / "wide.png")
    line = opened("cue", {"image": "wide.png"}, tmp_path)
    line.write(True)
    assert (pixels(line) == (0, 255, 0)).all(axis=2).sum() == 160 * 60


def test_grating_has_its_period_and_drifts() -> None:
    spec = Grating(period_px=20, drift_hz=1)
    still = grating_pixels(spec, SIZE, 0.0)[60, :, 0].astype(float)
    assert np.abs(still[:-20] - still[20:]).max() <= 1
    assert (still.min(), still.max()) == pytest.approx((0, 255), abs=4)
    quarter = grating_pixels(spec, SIZE, 0.25)[60, :, 0].astype(float)
    assert np.abs(quarter[5:] - still[:-5]).max() <= 1  # a quarter of a cycle to the right
    turned = grating_pixels(Grating(period_px=20, angle_deg=90), SIZE, 0.0)
    assert (turned == turned[:, :1]).all()


def test_contrast_of_a_grating() -> None:
    grey = grating_pixels(Grating(period_px=8, contrast=0.5), SIZE, 0.0)
    assert (grey.min(), grey.max()) == pytest.approx((64, 191), abs=1)


def test_moving_stimulus_goes_on_with_each_tick() -> None:
    line = opened("cue", {"grating": {"period_px": 16, "drift_hz": 50}})
    before = line._display.flips
    line.tick()
    assert line._display.flips == before  # nothing moves while it is hidden
    line.write(True)
    first = pixels(line).copy()
    for _ in range(20):
        line.tick()
    assert line._display.flips >= before + 21
    assert (pixels(line) != first).any()


def test_two_outputs_share_a_display_and_mark_their_frames() -> None:
    red = opened("red", {"colour": [255, 0, 0]}, photodiode_px=8)
    blue = opened("blue", {"colour": [0, 0, 255]})
    red.write(True)
    blue.write(True)
    assert (pixels(red)[0, 0] == (0, 0, 255)).all()  # the later is above
    assert (pixels(red)[112:, :8] == 255).all()
    red.write(False)
    assert (pixels(red)[112:, :8] == 0).all()
    blue.write(False)


def test_video_plays_from_its_start(tmp_path: Path) -> None:
    av = pytest.importorskip("av")
    with av.open(str(tmp_path / "clip.mkv"), "w") as container:
        stream = container.add_stream("ffv1", rate=10, width=40, height=20, pix_fmt="bgr0")
        for grey in (0, 120, 240):
            frame = av.VideoFrame.from_ndarray(np.full((20, 40, 3), grey, np.uint8), "rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    line = opened("clip", {"video": "clip.mkv"}, tmp_path)
    picture = line._picture
    assert [int(picture.at(at_s)[10, 20, 0]) for at_s in (0.0, 0.15, 0.25, 0.35)] == [0, 120, 240, 0]


def test_what_cannot_be_shown(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot be read"):
        opened("cue", {"image": "missing.png"}, tmp_path)
    with pytest.raises(OutputError, match="there are"):
        opened("cue", {"colour": [0, 0, 0]}, display=7)
