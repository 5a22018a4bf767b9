"""What the filters compute, in NumPy and written to be read: one keypoint and one axis at a time.

A track is positions (T,) px with NaN where missing, at times (T,) seconds, strictly increasing.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
INITIAL_SPEED_PX_S = 500.0


def one_euro_track(
    positions: Array,
    times_s: Array,
    *,
    min_cutoff_hz: float = 1.0,
    beta: float = 0.02,
    derivative_cutoff_hz: float = 1.0,
    max_gap_ms: float = 500.0,
) -> Array:
    """Casiez, Roussel, Vogel 2012, algorithm 1, with the real time step in place of a rate."""

    def alpha(cutoff_hz: float, step_s: float) -> float:
        tau = 1 / (2 * np.pi * cutoff_hz)
        return 1 / (1 + tau / step_s)

    filtered = np.full_like(positions, np.nan)
    last = None  # index of the last keypoint that was there
    derivative = 0.0
    for i in np.flatnonzero(np.isfinite(positions)):
        if last is None or times_s[i] - times_s[last] > max_gap_ms / 1000:
            filtered[i], derivative = positions[i], 0.0
        else:
            step_s = times_s[i] - times_s[last]
            raw = (positions[i] - filtered[last]) / step_s
            a = alpha(derivative_cutoff_hz, step_s)
            derivative = a * raw + (1 - a) * derivative
            a = alpha(min_cutoff_hz + beta * abs(derivative), step_s)
            filtered[i] = a * positions[i] + (1 - a) * filtered[last]
        last = i
    return filtered


def kalman_track(
    positions: Array,
    times_s: Array,
    *,
    process_noise: float = 5000.0,
    measurement_noise_px: float = 2.0,
    horizon_ms: float = 0.0,
    max_gap_ms: float = 500.0,
) -> Array:
    """Constant velocity with white acceleration (Bar-Shalom 2001, 6.2.2), a step a frame; Joseph form."""
    observe = np.array([[1.0, 0.0]])
    noise = np.array([[measurement_noise_px**2]])

    def transition(dt: float) -> Array:
        return np.array([[1.0, dt], [0.0, 1.0]])

    def diffusion(dt: float) -> Array:
        return process_noise * np.array([[dt**3 / 3, dt**2 / 2], [dt**2 / 2, dt]])

    out = np.full_like(positions, np.nan)
    state, covariance = np.zeros(2), np.zeros((2, 2))
    seen_s = -np.inf
    for i, position in enumerate(positions):
        if i > 0 and np.isfinite(seen_s):
            f = transition(times_s[i] - times_s[i - 1])
            state = f @ state
            covariance = f @ covariance @ f.T + diffusion(times_s[i] - times_s[i - 1])
        if not np.isfinite(position):
            continue
        if times_s[i] - seen_s > max_gap_ms / 1000:
            state = np.array([position, 0.0])
            covariance = np.diag([measurement_noise_px**2, INITIAL_SPEED_PX_S**2])
        else:
            gain = covariance @ observe.T @ np.linalg.inv(observe @ covariance @ observe.T + noise)
            rest = np.eye(2) - gain @ observe
            state = state + gain @ (np.array([position]) - observe @ state)
            covariance = rest @ covariance @ rest.T + gain @ noise @ gain.T
        seen_s = times_s[i]
        out[i] = (transition(horizon_ms / 1000) @ state)[0]
    return out


def filter_poses(
    poses: NDArray[np.float32],
    times_s: Array,
    track: Callable[..., Array],
    *,
    min_likelihood: float | None = None,
    **parameters: float,
) -> NDArray[np.float32]:
    """Every keypoint and axis of poses (T, individuals, bodyparts, 3) through `track`, each on its own."""
    out = poses.copy()
    missing = ~np.isfinite(poses[..., :2]).all(axis=-1)
    if min_likelihood is not None:
        missing |= ~(poses[..., 2] >= np.float32(min_likelihood))
    for individual, bodypart, axis in np.ndindex(poses.shape[1], poses.shape[2], 2):
        positions = poses[:, individual, bodypart, axis].astype(float)
        positions[missing[:, individual, bodypart]] = np.nan
        out[:, individual, bodypart, axis] = track(positions, times_s, **parameters)
    return out
