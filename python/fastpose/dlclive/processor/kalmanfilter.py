"""Predicts where the keypoints will be when the reaction takes effect."""

from __future__ import annotations

import time
from collections.abc import Sequence
from math import factorial
from typing import Any

import numpy as np
import numpy.typing as npt

from fastpose.dlclive.processor.processor import Processor
from fastpose.errors import ConfigError

__all__ = ["KalmanFilterPredictor"]

Array = npt.NDArray[np.float64]


class KalmanFilterPredictor(Processor):
    """A Kalman filter on each keypoint, with `nderiv` derivatives, asked for a moment in the future.

    Same arguments as the original, a formulation of our own: every keypoint is filtered by itself, so that a
    missing one (NaN) is predicted from its own past and disturbs no other, and the cost grows with the number
    of keypoints instead of its cube. Numbers therefore differ from the original's; on steady motion the
    prediction is without bias. Derivatives are in px per frame, per frame squared and so on, which gives the
    variances their meaning at any frame rate.

    Parameters
    ----------
    adapt : bool
        Predict to now - `frame_time` + `forward`, else `forward` s ahead.
    forward : float
        Time from the pose to its effect, s.
    fps : float
        Frame rate, Hz.
    nderiv : int
        Derivatives in the state, 1-4.
    priors : sequence of float
        Variance of each derivative before the second frame.
    initial_var : float
        Variance of the position at the first frame, px squared.
    process_var : float
        Variance that a frame adds to the position and to each derivative.
    dlc_var : float
        Variance of the network's keypoints, px squared.
    lik_thresh : float
        Keypoints below it are predicted, not measured.
    **kwargs
        Accepted and ignored.

    Raises
    ------
    ConfigError
        A value out of range, or `priors` of another length than `nderiv`.
    """

    def __init__(
        self,
        adapt: bool = True,
        forward: float = 0.002,
        fps: float = 30,
        nderiv: int = 2,
        priors: Sequence[float] = (10, 10),
        initial_var: float = 5,
        process_var: float = 5,
        dlc_var: float = 20,
        lik_thresh: float = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not 1 <= nderiv <= 4:
            raise ConfigError(f"nderiv is {nderiv}; allowed: 1 to 4")
        if len(priors) != nderiv:
            raise ConfigError(f"priors has {len(priors)} values; nderiv={nderiv} needs {nderiv}")
        self.adapt, self.forward, self.fps, self.nderiv = adapt, forward, fps, nderiv
        self.process_var, self.dlc_var, self.lik_thresh = process_var, dlc_var, lik_thresh
        self._first_covariance = np.diag([initial_var, *priors]).astype(np.float64)
        self._state: Array | None = None  # (n, 2, nderiv + 1) x and y with their derivatives
        self._covariance: Array = np.empty(0)  # (n, nderiv + 1, nderiv + 1)
        self._seen: npt.NDArray[np.bool_] = np.empty(0, bool)  # (n,)
        self._last_s = 0.0

    def process(self, pose: Any, **kwargs: Any) -> npt.NDArray[Any]:
        """Return the predicted pose, likelihoods as they came; NaN for keypoints never seen.

        Parameters
        ----------
        pose : ndarray
            (..., K, 3) x, y (px), likelihood.
        **kwargs
            `frame_time`: seconds of ``time.time()`` when the frame was taken. Without it, the time of the
            call counts.
        """
        pose = np.asarray(pose)
        now_s = time.time()
        frame_s = float(kwargs.get("frame_time", now_s))
        measured = pose.reshape(-1, 3).astype(np.float64)
        if self._state is None or len(self._state) != len(measured):
            self._start(len(measured))
        else:
            self._advance(max(frame_s - self._last_s, 0.0) * self.fps)
        self._last_s = frame_s
        self._measure(measured)
        ahead_s = self.forward + (max(now_s - frame_s, 0.0) if self.adapt else 0.0)
        predicted = np.array(pose, copy=True)
        predicted.reshape(-1, 3)[:, :2] = self._at(ahead_s * self.fps)
        return predicted

    def _start(self, count: int) -> None:
        size = self.nderiv + 1
        self._state = np.full((count, 2, size), np.nan)
        self._covariance = np.tile(self._first_covariance, (count, 1, 1))
        self._seen = np.zeros(count, bool)

    def _transition(self, frames: float) -> Array:
        size = self.nderiv + 1
        return np.array(
            [
                [
                    frames ** (column - row) / factorial(column - row) if column >= row else 0.0
                    for column in range(size)
                ]
                for row in range(size)
            ]
        )

    def _advance(self, frames: float) -> None:
        step = self._transition(frames)
        assert self._state is not None
        self._state = self._state @ step.T
        noise = np.eye(len(step)) * self.process_var * frames
        self._covariance = step @ self._covariance @ step.T + noise

    def _measure(self, measured: Array) -> None:
        assert self._state is not None
        usable = np.isfinite(measured).all(axis=1) & (measured[:, 2] >= self.lik_thresh)
        fresh = usable & ~self._seen
        self._state[fresh] = 0.0
        self._state[fresh, :, 0] = measured[fresh, :2]
        self._covariance[fresh] = self._first_covariance
        known = usable & self._seen
        covariance = self._covariance[known]
        gain = covariance[:, :, 0] / (covariance[:, :1, 0] + self.dlc_var)  # (n, nderiv + 1)
        innovation = measured[known, :2] - self._state[known, :, 0]
        self._state[known] += innovation[:, :, None] * gain[:, None, :]
        self._covariance[known] = covariance - gain[:, :, None] * covariance[:, :1, :]
        self._seen |= usable

    def _at(self, frames: float) -> Array:
        """(n, 2) positions so many frames ahead."""
        assert self._state is not None
        found: Array = self._state @ self._transition(frames)[0]
        return found
