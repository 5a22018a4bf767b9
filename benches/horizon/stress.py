"""A network that gets slower and faster again, and how far the pose is from the animal when it acts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fastpose import _core
from fastpose.config import Config, config_from
from fastpose.sim import Simulation
from fastpose.testing import Poses, simulated_poses, try_protocol

__all__ = ["LATENCIES_MS", "Stress", "config", "stress"]

Floats = npt.NDArray[np.float64]
NS_PER_MS = 1_000_000
RATE_HZ, FINE = 40, 5  # frames a second; true places between two frames, 5 ms apart
SECTION_S = 12
SETTLED_S = 5  # of a section, at its end: the horizon has come to what the latency is
LATENCIES_MS = (5, 20, 5)
NOISE_PX = 0.3
CAMERA: dict[str, Any] = {"driver": "sim", "rate_hz": RATE_HZ, "seed": 4}
MOVES_PX = 0.5  # the animal moves that far while the network works


@dataclass(frozen=True)
class Stress:
    """What came of it.

    Attributes
    ----------
    latency_ms : ndarray
        (n,) from exposure to decision, of each frame.
    horizon_ms : ndarray
        (n,) how far the automatic filter predicted.
    section : ndarray
        (n,) index of the network's speed.
    settled : ndarray
        (n,) bool: late in its section.
    moves : ndarray
        (n, K) bool: the body part moves.
    error_px : dict of ndarray
        By filter, (n, K): from the filtered pose to where the body part is at the moment of the decision.
    """

    latency_ms: Floats
    horizon_ms: Floats
    section: npt.NDArray[np.int64]
    settled: npt.NDArray[np.bool_]
    moves: npt.NDArray[np.bool_]
    error_px: dict[str, Floats]

    def mean_px(self, name: str, section: int | None = None) -> float:
        """Mean error of a filter where the animal moves: in a section once settled, or over all."""
        chosen = self.moves.copy()
        if section is not None:
            chosen &= (self.settled & (self.section == section))[:, None]
        return float(self.error_px[name][chosen].mean())


def config(**filter_spec: Any) -> Config:
    """The simulated animal with a Kalman filter."""
    spec = {"type": "kalman", "measurement_noise_px": 1.0, "process_noise": 50000, **filter_spec}
    model = {"path": "builtin:simulated_mouse"}
    return config_from(
        {"session": {"subject": "m"}, "cameras": {"top": CAMERA}, "model": model, "filter": spec}
    )


def stress(*, jitter_ms: float = 0.0) -> Stress:
    """Run the session with no horizon, with the automatic one, and with a fixed one for each latency.

    Parameters
    ----------
    jitter_ms : float
        Standard deviation of the latency from frame to frame; the truth is taken at the latency without it.
    """
    per_section = SECTION_S * RATE_HZ
    section = np.repeat(np.arange(len(LATENCIES_MS)), per_section)
    steady_ms = np.asarray(LATENCIES_MS, np.float64)[section]
    latency_ms = steady_ms + np.random.default_rng(0).normal(0, jitter_ms, len(section))
    latency_ms = np.clip(latency_ms, 1, 1000 / RATE_HZ - 1)
    poses = simulated_poses(config(), seconds=len(section) / RATE_HZ, age_ms=latency_ms, noise_px=NOISE_PX)
    before, then = _truth(len(section), steady_ms)
    fixed = {f"fixed {ms} ms": {"horizon_ms": ms} for ms in dict.fromkeys(LATENCIES_MS)}
    filters: dict[str, dict[str, Any]] = {"none": {}, "auto": {"horizon": "auto"}, **fixed}
    return Stress(
        latency_ms,
        horizons_ms(poses),
        section,
        np.tile(np.arange(per_section) >= per_section - SETTLED_S * RATE_HZ, len(LATENCIES_MS)),
        np.linalg.norm(then - before, axis=-1) > MOVES_PX,
        {name: _error_px(poses, config(**spec), then) for name, spec in filters.items()},
    )


def _truth(count: int, latency_ms: Floats) -> tuple[Floats, Floats]:
    """(n, K, 2) where the animal is in each frame, and (n, K, 2) when that frame is decided."""
    fine = Simulation(rate_hz=RATE_HZ * FINE, seed=CAMERA["seed"])
    later = np.round(latency_ms * RATE_HZ * FINE / 1000).astype(int)
    at = np.arange(count) * FINE
    before = np.stack([fine.truth(int(index))[0, :, :2] for index in at])
    then = np.stack([fine.truth(int(index))[0, :, :2] for index in at + later])
    return before.astype(np.float64), then.astype(np.float64)


def _error_px(poses: Poses, spec: Config, then: Floats) -> Floats:
    filtered = try_protocol(spec, poses=poses).filtered[:, 0, :, :2]
    return np.asarray(np.linalg.norm(filtered - then, axis=-1), np.float64)


def horizons_ms(poses: Poses) -> Floats:
    """(n,) the automatic horizon with which each frame is predicted, by the stamps of those before it."""
    filter_ = _core.kalman_filter((1, 1), automatic_horizon=True)
    filter_.expect_delay(poses.record.work_ns)
    found = []
    for frame in poses.record.frames:
        found.append(filter_.horizon_ns / NS_PER_MS)
        filter_.learn_delay(int(frame["exposure_start_ns"]), decided_ns=int(frame["decided_ns"]))
    return np.array(found)
