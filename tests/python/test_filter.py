"""Filters against their oracle, and what they are for: less noise, and the place where the animal will be."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastpose import _core as core
from fastpose.errors import ConfigError
from oracle.filter import filter_poses, kalman_track, one_euro_track


def random_walk(seed: int, frames: int = 60, individuals: int = 2, bodyparts: int = 3):
    """Poses with missing keypoints at irregular times; some gaps are longer than the filters bridge."""
    rng = np.random.default_rng(seed)
    steps = rng.normal(0, 4, (frames, individuals, bodyparts, 2))
    poses = np.concatenate(
        [300 + steps.cumsum(axis=0), rng.uniform(0, 1, (frames, individuals, bodyparts, 1))], axis=-1
    ).astype(np.float32)
    poses[rng.random(poses.shape[:3]) < 0.2, 0] = np.nan
    poses[rng.random(poses.shape[:3]) < 0.1, 1] = np.nan
    steps_ns = rng.choice([1_000_000, 9_700_000, 10_000_000, 33_000_000, 700_000_000], frames)
    return poses, 10**12 + steps_ns.cumsum() + rng.integers(0, 500_000, frames)


def run(filter_, poses, times_ns):
    out = poses.copy()
    for pose, time_ns in zip(out, times_ns, strict=True):
        filter_.apply(pose, int(time_ns))
    return out


def seconds(times_ns):
    return (times_ns - times_ns[0]) / 1e9


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    min_cutoff_hz=st.floats(0.05, 20),
    beta=st.floats(0, 1),
    derivative_cutoff_hz=st.floats(0.1, 10),
)
def test_one_euro_equals_oracle(seed, min_cutoff_hz, beta, derivative_cutoff_hz):
    poses, times_ns = random_walk(seed)
    parameters = {
        "min_cutoff_hz": min_cutoff_hz,
        "beta": beta,
        "derivative_cutoff_hz": derivative_cutoff_hz,
    }
    got = run(core.one_euro_filter(poses.shape[1:3], **parameters), poses, times_ns)
    missing = ~np.isfinite(poses[..., :2]).all(axis=-1)
    expected = filter_poses(poses, seconds(times_ns), one_euro_track, **parameters)
    assert np.isnan(got[missing, :2]).all()
    np.testing.assert_allclose(got, expected, rtol=1e-5)


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    process_noise=st.floats(10, 1e6),
    measurement_noise_px=st.floats(0.1, 10),
    horizon_ms=st.floats(0, 60),
    min_likelihood=st.floats(0, 1),
)
def test_kalman_equals_oracle(seed, process_noise, measurement_noise_px, horizon_ms, min_likelihood):
    poses, times_ns = random_walk(seed)
    parameters = {
        "process_noise": process_noise,
        "measurement_noise_px": measurement_noise_px,
        "horizon_ms": horizon_ms,
        "min_likelihood": min_likelihood,
    }
    got = run(core.kalman_filter(poses.shape[1:3], **parameters), poses, times_ns)
    expected = filter_poses(poses, seconds(times_ns), kalman_track, **parameters)
    assert np.isfinite(got[..., :2]).any() or min_likelihood > 0.9
    np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-3)


@pytest.mark.parametrize("make", [core.one_euro_filter, core.kalman_filter])
def test_missing_keypoint_touches_no_other(make):
    poses, times_ns = random_walk(3)
    poses[~np.isfinite(poses)] = 100
    holed = poses.copy()
    holed[10:20, 1, 2, :2] = np.nan
    whole, with_hole = run(make((2, 3)), poses, times_ns), run(make((2, 3)), holed, times_ns)
    others = np.ones((2, 3), bool)
    others[1, 2] = False
    assert np.array_equal(with_hole[:, others], whole[:, others])
    assert np.isnan(with_hole[10:20, 1, 2, :2]).all()
    assert np.isfinite(with_hole[20:, 1, 2]).all()


@pytest.mark.parametrize("make", [core.one_euro_filter, core.kalman_filter])
def test_likelihood_is_untouched(make):
    poses, times_ns = random_walk(4)
    assert np.array_equal(run(make((2, 3)), poses, times_ns)[..., 2], poses[..., 2])


@pytest.mark.parametrize("make", [core.one_euro_filter, core.kalman_filter])
@pytest.mark.parametrize("step_ns", [0, -5_000_000], ids=["same time", "time went back"])
def test_time_that_does_not_advance_restarts(make, step_ns):
    poses, times_ns = random_walk(5)
    filter_, fresh = make((2, 3)), make((2, 3))
    run(filter_, poses[:20], times_ns[:20])
    later_ns = times_ns[19] + step_ns + np.arange(10) * 10_000_000
    assert np.array_equal(
        run(filter_, poses[20:30], later_ns), run(fresh, poses[20:30], later_ns), equal_nan=True
    )


@pytest.mark.parametrize("make", [core.one_euro_filter, core.kalman_filter])
def test_long_gap_restarts_one_keypoint(make):
    filter_ = make((1, 2), max_gap_ms=100)
    still = np.array([[[50, 50, 1], [80, 80, 1]]], np.float32)
    hidden = still.copy()
    hidden[0, 0, :2] = np.nan
    for i in range(20):
        filter_.apply((still if i < 5 else hidden).copy(), i * 10_000_000)
    jumped = np.array([[[200, 200, 1], [180, 180, 1]]], np.float32)
    filter_.apply(jumped, 200_000_000)
    assert np.array_equal(jumped[0, 0], [200, 200, 1])  # started anew where it is
    assert 80 < jumped[0, 1, 0] < 180  # was seen all along: smoothed


def moving_target(noise_px, seed=0, rate_hz=100, frames=400):
    """One keypoint at 300 px/s in x; true and noisy x."""
    times_ns = (np.arange(frames) * 1e9 / rate_hz).astype(np.int64)
    true_x = 50 + 300 * times_ns / 1e9
    poses = np.zeros((frames, 1, 1, 3), np.float32)
    poses[:, 0, 0, 0] = true_x + np.random.default_rng(seed).normal(0, noise_px, frames)
    poses[..., 2] = 1
    return poses, times_ns, true_x


def test_horizon_meets_a_target_in_motion():
    horizon_ms = 30
    poses, times_ns, _ = moving_target(noise_px=1.0)
    future_x = 50 + 300 * (times_ns / 1e9 + horizon_ms / 1e3)
    errors = {
        ms: np.abs(
            run(core.kalman_filter((1, 1), horizon_ms=ms), poses, times_ns)[100:, 0, 0, 0] - future_x[100:]
        ).mean()
        for ms in (0, horizon_ms)
    }
    assert errors[0] == pytest.approx(9, abs=0.5)  # 300 px/s x 30 ms
    assert errors[horizon_ms] < errors[0] / 5


def test_one_euro_takes_the_jitter_from_a_still_animal():
    rng = np.random.default_rng(1)
    poses = np.full((500, 1, 1, 3), 100, np.float32)
    poses[:, 0, 0, :2] += rng.normal(0, 1, (500, 2))
    out = run(core.one_euro_filter((1, 1)), poses, np.arange(500) * 10_000_000)
    assert out[100:, 0, 0, :2].std() < poses[100:, 0, 0, :2].std() / 2


def test_one_euro_lags_less_when_beta_is_higher():
    poses, times_ns, true_x = moving_target(noise_px=0.5)
    lags = [
        (true_x - run(core.one_euro_filter((1, 1), beta=beta), poses, times_ns)[:, 0, 0, 0])[200:].mean()
        for beta in (0.0, 0.02, 0.2)
    ]
    assert lags[0] > 3 * lags[1] > 6 * lags[2] > 0


def test_kalman_smooths_a_target_in_motion():
    poses, times_ns, true_x = moving_target(noise_px=2.0)
    out = run(core.kalman_filter((1, 1)), poses, times_ns)[100:, 0, 0, 0]
    assert np.abs(out - true_x[100:]).mean() < np.abs(poses[100:, 0, 0, 0] - true_x[100:]).mean() / 1.5


@pytest.mark.parametrize(
    ("make", "parameter", "value"),
    [
        (core.one_euro_filter, "min_cutoff_hz", 0.0),
        (core.one_euro_filter, "beta", -0.1),
        (core.one_euro_filter, "derivative_cutoff_hz", float("nan")),
        (core.one_euro_filter, "max_gap_ms", -1.0),
        (core.kalman_filter, "process_noise", 0.0),
        (core.kalman_filter, "measurement_noise_px", float("inf")),
        (core.kalman_filter, "horizon_ms", -1.0),
        (core.kalman_filter, "min_likelihood", 1.5),
    ],
)
def test_bad_value_is_named(make, parameter, value):
    with pytest.raises(ConfigError, match=rf"{parameter} is {value:g}; allowed: "):
        make((1, 1), **{parameter: value})


def test_pose_of_another_shape_is_refused():
    filter_ = core.one_euro_filter((1, 3))
    with pytest.raises(ConfigError, match="pose has 2 keypoints; allowed: the 3"):
        filter_.apply(np.zeros((1, 2, 3), np.float32), 0)
    with pytest.raises(ConfigError, match=r"shape \(3, 3\); allowed: \(individuals, bodyparts, 3\)"):
        filter_.apply(np.zeros((3, 3), np.float32), 0)
    with pytest.raises(TypeError):  # would be a copy, filtered in vain
        filter_.apply(np.zeros((1, 3, 3)), 0)
