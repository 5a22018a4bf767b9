"""`filter.horizon: auto`: it predicts as far as the delay is, and the pose meets the animal where it is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fastpose import _core
from fastpose.config import Config, config_from
from fastpose.errors import ConfigError
from fastpose.replay.build import parts_of
from fastpose.replay.replay import as_bytes
from fastpose.session.log import EVENT_DTYPE
from fastpose.testing import Poses, simulated_poses

MS = 1_000_000
RATE_HZ, PERIOD_NS = 100, 10 * MS
DELAY_FRAMES = 5


def config(**filter_spec: Any) -> Config:
    return config_from(
        {
            "session": {"subject": "m"},
            "cameras": {"top": {"driver": "sim", "rate_hz": RATE_HZ, "seed": 4}},
            "model": {"path": "builtin:simulated_mouse"},
            "filter": {"type": "kalman", "measurement_noise_px": 1.0, "process_noise": 50000, **filter_spec},
        }
    )


@pytest.fixture(scope="module")
def poses() -> Poses:
    """Forty seconds of the simulated animal, decided 50 ms after the exposure."""
    return simulated_poses(config(), seconds=40, age_ms=DELAY_FRAMES * 10, noise_px=0.3)


def error_px(poses: Poses, spec: Config) -> float:
    """Mean distance of the filtered pose from where the animal is when it is decided, where it moves."""
    record = poses.record
    made = _core.replay_camera(
        **parts_of(spec, record, acts=True),
        individuals=1,
        bodyparts=len(record.bodyparts),
        work_ns=record.work_ns,
        camera=0,
        frames=as_bytes(record.frames),
        raw=record.raw,
        guide=as_bytes(np.zeros(0, EVENT_DTYPE)),
        inputs=[],
    )
    settled = slice(5 * RATE_HZ, -DELAY_FRAMES)
    truth = record.raw[5 * RATE_HZ + DELAY_FRAMES :, 0, :, :2]
    now = made[1][settled, 0, :, :2]
    moves = np.linalg.norm(truth - record.raw[settled, 0, :, :2], axis=-1) > 2
    assert moves.sum() > 1000
    return float(np.linalg.norm(now - truth, axis=-1)[moves].mean())


def test_the_pose_meets_the_animal_where_it_is(poses: Poses) -> None:
    behind = error_px(poses, config())
    predicted = error_px(poses, config(horizon="auto"))
    by_hand = error_px(poses, config(horizon_ms=DELAY_FRAMES * 10))
    assert predicted < 0.6 * behind
    assert predicted == pytest.approx(by_hand, rel=0.02)


def automatic() -> _core.Filter:
    return _core.kalman_filter((1, 1), automatic_horizon=True)


def test_it_begins_with_what_the_network_took_and_follows_the_delay() -> None:
    filter_ = automatic()
    filter_.expect_delay(12 * MS)
    assert filter_.horizon_ns == 12 * MS
    for frame in range(1, 1000):
        exposure = frame * PERIOD_NS
        filter_.learn_delay(exposure, decided_ns=exposure + 20 * MS)
    assert filter_.horizon_ns == pytest.approx(20 * MS, rel=0.01)
    for frame in range(1000, 2000):
        exposure = frame * PERIOD_NS
        filter_.learn_delay(exposure, decided_ns=exposure + 20 * MS, acted_ns=exposure + 23 * MS)
    assert filter_.horizon_ns == pytest.approx(23 * MS, rel=0.01)


def test_it_never_jumps() -> None:
    """Delays that jump between 5 and 300 ms move it by at most 5 % of the time that passes."""
    filter_, delays = automatic(), np.random.default_rng(0).choice([5, 300], 2000)
    filter_.expect_delay(8 * MS)
    before = filter_.horizon_ns
    for frame, delay in enumerate(delays, start=1):
        exposure = frame * PERIOD_NS
        filter_.learn_delay(exposure, decided_ns=exposure + int(delay) * MS)
        assert abs(filter_.horizon_ns - before) <= 0.05 * PERIOD_NS + 1
        before = filter_.horizon_ns


def test_one_slow_frame_hardly_moves_it() -> None:
    filter_ = automatic()
    filter_.expect_delay(10 * MS)
    for frame in range(1, 500):
        exposure = frame * PERIOD_NS
        slow = 200 * MS if frame == 400 else 10 * MS
        filter_.learn_delay(exposure, decided_ns=exposure + slow)
        assert abs(filter_.horizon_ns - 10 * MS) <= 0.6 * MS


def test_a_fixed_horizon_learns_nothing() -> None:
    filter_ = _core.kalman_filter((1, 1), horizon_ms=7.0)
    filter_.expect_delay(50 * MS)
    filter_.learn_delay(PERIOD_NS, decided_ns=PERIOD_NS + 90 * MS)
    assert filter_.horizon_ns == 7 * MS
    assert _core.one_euro_filter((1, 1)).horizon_ns == 0


def test_nonsense_stamps_change_nothing() -> None:
    filter_ = automatic()
    filter_.expect_delay(10 * MS)
    filter_.learn_delay(2 * PERIOD_NS, decided_ns=PERIOD_NS)
    filter_.learn_delay(PERIOD_NS, decided_ns=PERIOD_NS + 20 * MS)
    filter_.learn_delay(PERIOD_NS, decided_ns=PERIOD_NS + 20 * MS)  # no time has passed
    assert filter_.horizon_ns == 10 * MS


def test_one_of_both_in_the_config() -> None:
    with pytest.raises(ConfigError, match="horizon is auto and horizon_ms is 5; allowed: one of them"):
        config(horizon="auto", horizon_ms=5)
