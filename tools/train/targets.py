"""Keypoints to the maps the network learns, and maps back to keypoints, in the convention of the decoder."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .network import LOCREF_STDEV, STRIDE

Array = NDArray[np.float32]

PEAK_SIGMA_PX = 8.0  # width of a heatmap peak
FLAT_PX = STRIDE / np.sqrt(2.0)  # within this distance the target is 1: the nearest cell always is
LOCREF_RADIUS_PX = 17.0  # cells this near learn where the keypoint is


def cell_centres(cells: int) -> Array:
    """Sensor px of the cell centres along one axis; the centre of the first pixel is 0. Shape (cells,)."""
    return ((np.arange(cells) + 0.5) * STRIDE).astype(np.float32)


def encode(keypoints: Array, rows: int, columns: int) -> tuple[Array, Array, Array]:
    """Target maps of keypoints (K, 2) in px of the network input; a NaN keypoint is in no map.

    Returns
    -------
    heatmap : (K, rows, columns) in 0..1
    locref : (2K, rows, columns), channel 2k = x and 2k + 1 = y, px / LOCREF_STDEV
    near : (K, rows, columns), 1 where locref is to be learned
    """
    dx = keypoints[:, 0, None, None] - cell_centres(columns)[None, None, :]
    dy = keypoints[:, 1, None, None] - cell_centres(rows)[None, :, None]
    dx, dy = np.broadcast_arrays(dx, dy)
    squared = np.where(np.isnan(dx + dy), np.inf, dx**2 + dy**2)
    heatmap = np.minimum(1.0, np.exp((FLAT_PX**2 - squared) / (2.0 * PEAK_SIGMA_PX**2)))
    near = squared <= LOCREF_RADIUS_PX**2
    locref = np.where(near[:, None], np.stack([dx, dy], axis=1) / LOCREF_STDEV, 0.0)
    return (
        heatmap.astype(np.float32),
        locref.reshape(-1, rows, columns).astype(np.float32),
        near.astype(np.float32),
    )


def decode(heatmap: Array, locref: Array) -> Array:
    """Keypoints (K, 3) x, y, likelihood from heatmap logits (K, rows, columns) and locref (2K, ...)."""
    bodyparts, rows, columns = heatmap.shape
    best = heatmap.reshape(bodyparts, -1).argmax(axis=1)
    row, column = np.divmod(best, columns)
    offsets = locref.reshape(bodyparts, 2, rows, columns)[np.arange(bodyparts), :, row, column]
    x = (column + 0.5) * STRIDE + offsets[:, 0] * LOCREF_STDEV
    y = (row + 0.5) * STRIDE + offsets[:, 1] * LOCREF_STDEV
    logit = heatmap.reshape(bodyparts, -1)[np.arange(bodyparts), best]
    return np.stack([x, y, 1.0 / (1.0 + np.exp(-logit))], axis=1).astype(np.float32)
