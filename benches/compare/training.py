"""A few steps of training for the small networks, so that they find the animal."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from benches.compare.frames import Scene, frames_of

__all__ = ["STEPS", "targets", "train"]

STEPS, BATCH, RATE = 240, 8, 2e-3
SIDE = 192
SIGMA_PX, NEAR_PX, LOCREF_PX = 10.0, 17.0, 7.2801
SEED = 31
Maps = npt.NDArray[np.float32]


def train(model: Any, scene: Scene) -> None:
    """Fit heatmap and locref to the scene's keypoints, in place; leaves eval mode.

    Parameters
    ----------
    model : PoseNetwork
        With seeded weights.
    scene : Scene
        With points.
    """
    import torch

    torch.manual_seed(SEED)
    model.train()
    optimiser = torch.optim.AdamW(model.parameters(), lr=RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=STEPS)
    for step in range(STEPS):
        loss = _loss(model, *_batch(scene, step))
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        schedule.step()
    model.eval()


def _batch(scene: Scene, step: int) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float64]]:
    """Frames (n, h, w) around the animal, and keypoints (n, K, 2)."""
    from dataclasses import replace

    random = np.random.default_rng([SEED, step])
    chosen = random.choice(len(scene.frames), BATCH, replace=False)
    assert scene.points is not None
    part = replace(scene, frames=scene.frames[chosen], points=scene.points[chosen])
    wide = step % 3 == 2  # the empty arena is most of a frame
    frames, points = frames_of(part, (2 * SIDE, SIDE) if wide else (SIDE, SIDE), arena=False, seed=step)
    assert points is not None
    return frames, points


def _loss(model: Any, frames: npt.NDArray[np.uint8], points: npt.NDArray[np.float64]) -> Any:
    import torch
    from benches.compare.weights import network_input
    from torch.nn.functional import smooth_l1_loss

    heatmap, locref = model(network_input(frames))
    heat, offsets, near = targets(points, heatmap.shape[2:], model.fields["stride"])
    wanted = torch.from_numpy(heat)
    weight = 1 + 20 * wanted
    close = torch.from_numpy(near).repeat_interleave(2, 1)
    apart = smooth_l1_loss(locref, torch.from_numpy(offsets), reduction="none") * close
    return ((heatmap - wanted) ** 2 * weight).mean() * 10 + apart.sum() / close.sum().clamp_min(1) * 0.1


def targets(
    points: npt.NDArray[np.float64], cells: tuple[int, int], stride: float
) -> tuple[Maps, Maps, Maps]:
    """What the maps should be.

    Parameters
    ----------
    points : (n, K, 2) px
    cells : (h, w)
    stride : float
        Pixels of a cell.

    Returns
    -------
    heatmap (n, K, h, w), locref (n, 2K, h, w) and where that counts (n, K, h, w), float32
    """
    rows, columns = np.mgrid[: cells[0], : cells[1]] * stride + stride / 2
    x, y = points[..., 0, None, None] - columns, points[..., 1, None, None] - rows
    squared = x**2 + y**2
    heat = np.exp(-squared / (2 * SIGMA_PX**2))
    locref = np.stack([x, y], 2).reshape(len(points), -1, *cells) / LOCREF_PX
    return heat.astype(np.float32), locref.astype(np.float32), (squared < NEAR_PX**2).astype(np.float32)
