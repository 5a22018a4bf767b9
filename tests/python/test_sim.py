"""The simulated animal from Python: shapes, truth, reproducibility, errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fastpose.errors import ConfigError
from fastpose.sim import Simulation
from oracle.preprocess import LUMA, to_channels


def test_frame_and_keypoints_have_their_shapes() -> None:
    simulation = Simulation(size=(160, 120), individuals=2)
    frame, keypoints = simulation.render(5)
    assert frame.shape == (120, 160)
    assert frame.dtype == np.uint8
    assert keypoints.shape == (2, 5, 3)
    assert keypoints.dtype == np.float32
    assert simulation.bodyparts == ["snout", "leftear", "rightear", "center", "tailbase"]
    assert simulation.size == (160, 120)


@pytest.mark.parametrize(
    ("pixel_format", "shape"), [("rgb8", (120, 160, 3)), ("bgr8", (120, 160, 3)), ("bayer_gb8", (120, 160))]
)
def test_pixel_formats(pixel_format: str, shape: tuple[int, ...]) -> None:
    frame, _ = Simulation(size=(160, 120), pixel_format=pixel_format).render(0)
    assert frame.shape == shape
    assert frame.std() > 3


@pytest.mark.parametrize(("pixel_format", "bits"), [("mono10", 10), ("mono12", 12)])
def test_more_bits_are_finer_grey(pixel_format: str, bits: int) -> None:
    frame, _ = Simulation(size=(160, 121), pixel_format=pixel_format).render(3)
    grey, _ = Simulation(size=(160, 121)).render(3)
    assert frame.dtype == np.uint16
    np.testing.assert_array_equal(frame >> (bits - 8), grey)
    assert len(np.unique(frame & ((1 << (bits - 8)) - 1))) == 1 << (bits - 8)


@pytest.mark.parametrize("prerender_frames", [None, 4])
@pytest.mark.parametrize(("pixel_format", "shape"), [("yuyv", (120, 160, 2)), ("nv12", (180, 160))])
def test_yuv_is_the_colour_frame(
    pixel_format: str, shape: tuple[int, ...], prerender_frames: int | None
) -> None:
    fields = {"size": (160, 120), "prerender_frames": prerender_frames}
    frame, _ = Simulation(pixel_format=pixel_format, **fields).render(3)
    rgb, _ = Simulation(pixel_format="rgb8", **fields).render(3)
    assert frame.shape == shape and frame.dtype == np.uint8
    difference = np.abs(to_channels(frame, pixel_format, "rgb") - rgb)
    assert difference.mean() < 3  # chroma is shared by two or four pixels with their own noise
    luma = frame[..., 0] if pixel_format == "yuyv" else frame[:120]
    assert np.abs(luma - (16 + rgb @ LUMA * 219 / 255)).max() <= 0.51


def test_a_torn_nv12_frame_has_the_chroma_of_its_rows() -> None:
    fields = {"size": (160, 120), "pixel_format": "nv12", "faults": {"torn": 1.0}}
    torn, whole = Simulation(**fields), Simulation(size=(160, 120), pixel_format="nv12")
    for index in range(1, 20):
        row = torn.fate(index).tear_row
        frame = torn.render(index)[0]
        before, now = whole.render(index - 1)[0], whole.render(index)[0]
        np.testing.assert_array_equal(frame[:row], now[:row])
        np.testing.assert_array_equal(frame[row:120], before[row:120])
        chroma = (row + 1) // 2
        np.testing.assert_array_equal(frame[120 : 120 + chroma], now[120 : 120 + chroma])
        np.testing.assert_array_equal(frame[120 + chroma :], before[120 + chroma :])


def test_seed_gives_the_same_frames_again() -> None:
    first, first_keypoints = Simulation(size=(160, 120), seed=3).render(70)
    again, again_keypoints = Simulation(size=(160, 120), seed=3).render(70)
    other, _ = Simulation(size=(160, 120), seed=4).render(70)
    np.testing.assert_array_equal(first, again)
    np.testing.assert_array_equal(first_keypoints, again_keypoints)
    assert (first != other).any()


def test_truth_is_what_render_gives() -> None:
    simulation = Simulation(size=(160, 120), individuals=2, occlusion=0.2)
    np.testing.assert_array_equal(simulation.truth(33), simulation.render(33)[1])


def test_dark_animal_lies_where_the_truth_says() -> None:
    simulation = Simulation(size=(320, 240), noise=0, seed=1)
    for index in range(0, 2000, 100):
        frame, keypoints = simulation.render(index)
        x, y, _ = keypoints[0, simulation.bodyparts.index("center")]
        assert frame[round(float(y)), round(float(x))] < 60  # the floor is above 90
        ys, xs = np.nonzero(frame[30:-30, 30:-30] < 45)
        assert np.hypot(xs.mean() + 30 - x, ys.mean() + 30 - y) < 0.2 * simulation.body_length_px


def test_frames_handed_out_do_not_share_memory() -> None:
    simulation = Simulation(size=(160, 120))
    frame, keypoints = simulation.render(0)
    frame_before, keypoints_before = frame.copy(), keypoints.copy()
    simulation.render(1)
    np.testing.assert_array_equal(frame, frame_before)
    np.testing.assert_array_equal(keypoints, keypoints_before)


def test_fates_come_at_their_rates() -> None:
    simulation = Simulation(size=(64, 64), faults={"drop": 0.1, "torn": 0.2})
    fates = [simulation.fate(index) for index in range(5000)]
    assert sum(fate.dropped for fate in fates) == pytest.approx(500, abs=90)
    assert sum(fate.torn for fate in fates) == pytest.approx(1000, abs=120)
    assert not any(fate.late for fate in fates)


def test_body_length_is_that_of_the_shape_at_the_size() -> None:
    assert Simulation(size=(640, 480)).body_length_px == pytest.approx(118)
    assert Simulation(size=(320, 240)).body_length_px == pytest.approx(59)
    assert Simulation(size=(320, 240), body_length_px=30).body_length_px == 30


def test_walk_repeats_after_its_period() -> None:
    simulation = Simulation(size=(64, 64), rate_hz=100)
    lap = round(simulation.period_s * 100)
    assert lap > 60 * 100
    # Gestures of head and tail go on; the middle of the body is on the same path again.
    np.testing.assert_allclose(simulation.truth(40)[0, 3], simulation.truth(40 + lap)[0, 3], atol=1e-3)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"shape": "cat"}, "shape is 'cat', allowed are mouse, rat, vole"),
        ({"size": (10, 480)}, r"size\[0\] is 10, allowed is 64 to 8192"),
        ({"noise": -1}, "noise is -1, allowed is 0 to 40"),
        ({"lighting": {"brightness": 3}}, "lighting.brightness is 3"),
        ({"pixel_format": "mono16"}, "mono16"),
    ],
)
def test_bad_values_are_refused(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        Simulation(**fields)


@pytest.mark.parametrize("fields", [{"colour": "red"}, {"faults": {"dropped": 1}}])
def test_unknown_fields_are_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(TypeError):
        Simulation(**fields)


def test_repr_shows_what_it_is() -> None:
    simulation = Simulation(shape="vole", size=(160, 120), seed=9)
    assert repr(simulation) == "Simulation(vole, 160x120 mono8, seed 9)"
