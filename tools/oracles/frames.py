"""Fixed frames for the oracle jobs: NumPy alone, so that every environment makes the same ones."""

from __future__ import annotations

import numpy as np


def oracle_frames(size: tuple[int, int], channels: int, count: int = 4, seed: int = 7) -> np.ndarray:
    """Blobs over noise: (count, H, W) uint8 for one channel, (count, H, W, channels) for more."""
    random = np.random.default_rng(seed)
    width, height = size
    rows, columns = np.mgrid[0:height, 0:width]
    frames = random.normal(110, 10, (count, height, width, channels))
    for frame in frames:
        for _ in range(20):
            x, y, radius = random.uniform(0, width), random.uniform(0, height), random.uniform(3, 25)
            blob = np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * radius**2))
            frame += blob[..., None] * random.uniform(-90, 90, channels)
    frames = np.clip(np.rint(frames), 0, 255).astype(np.uint8)
    return frames[..., 0] if channels == 1 else frames
