"""A few steps of training, so that networks find the animal: distances in px then mean something."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from benches.compare.frames import Scene, frames_of

__all__ = ["SCHEDULES", "Schedule", "targets", "train"]


@dataclass(frozen=True)
class Schedule:
    """How long, and on how much at a time.

    Attributes
    ----------
    side : int
        Of the windows, px; every third batch is twice as wide.
    rate : float
        Highest learning rate.
    arena : int
        Every so many steps a whole arena, for a network that has to find the animal in one; 0: never.
    """

    side: int
    batch: int
    steps: int = 150
    rate: float = 1e-3
    arena: int = 0


SCHEDULES = {
    "unet": Schedule(192, 8, 240, 2e-3),
    "mobilenet": Schedule(192, 8, 240, 2e-3),
    "resnet50_gn": Schedule(128, 4, arena=12),
    "resnet50_bn": Schedule(128, 4),
    "hrnet_w32": Schedule(128, 2),
}
"""By network: minutes on two cores. The animal is found within a few px, which is all that is needed."""
SIGMA_PX, NEAR_PX, LOCREF_PX = 10.0, 17.0, 7.2801
SEED = 31
ARENA = (1280, 1024)
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # ImageNet's
Maps = npt.NDArray[np.float32]


def train(model: Any, scene: Scene, plan: Schedule) -> None:
    """Fit heatmap and locref to the scene's keypoints, in place; leaves eval mode.

    Parameters
    ----------
    model : PoseNetwork
        With seeded weights.
    scene : Scene
        With points.
    plan : Schedule
    """
    import torch

    torch.manual_seed(SEED)
    _temper(model)
    model.train()
    groups = _groups(model, plan)
    trained = [parameter for group in groups for parameter in group["params"]]
    optimiser = torch.optim.AdamW(groups)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, [each["lr"] for each in groups], total_steps=plan.steps
    )
    for step in range(plan.steps):
        loss = _loss(model, *_batch(scene, plan, step))
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimiser.step()
        schedule.step()
    model.eval()


def _groups(model: Any, plan: Schedule) -> list[dict[str, Any]]:
    """Parameters with their learning rates; heads begin at zero and are slower the more they sum over."""
    import torch

    backbone = list(model.backbone.parameters())
    heads = list(model.heads.parameters())
    with torch.no_grad():
        for parameter in heads:
            parameter.zero_()
    channels = max(parameter.shape[0] for parameter in heads if parameter.ndim == 4)
    slower = min(1.0, 64 / channels)
    return [{"params": backbone, "lr": plan.rate}, {"params": heads, "lr": plan.rate * slower}]


def _temper(model: Any) -> None:
    """Residual branches of a third: what a layer sees of the frame then reaches the heads through fifty."""
    import torch

    with torch.no_grad():
        for block in model.backbone.modules():
            last = getattr(block, "bn3", getattr(block, "bn2", None))
            if last is not None and hasattr(block, "conv2"):
                last.weight.mul_(1 / 3)


def _batch(scene: Scene, plan: Schedule, step: int) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float64]]:
    """Frames (n, h, w) around the animal, and keypoints (n, K, 2)."""
    random = np.random.default_rng([SEED, step])
    arena = plan.arena > 0 and (step + 1) % plan.arena == 0
    chosen = random.choice(len(scene.frames), 1 if arena else plan.batch, replace=False)
    assert scene.points is not None
    part = replace(scene, frames=scene.frames[chosen], points=scene.points[chosen])
    wide = step % 3 == 2  # the empty arena is most of a frame
    size = ARENA if arena else (2 * plan.side if wide else plan.side, plan.side)
    frames, points = frames_of(part, size, arena=arena, seed=step)
    assert points is not None
    return frames, points


def _loss(model: Any, frames: npt.NDArray[np.uint8], points: npt.NDArray[np.float64]) -> Any:
    import torch
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


def network_input(grey: npt.NDArray[np.uint8]) -> Any:
    """(n, h, w) to (n, 3, h, w), normalised as DeepLabCut does."""
    import torch

    mean, deviation = np.array(MEAN, np.float32), np.array(DEVIATION, np.float32)
    values = (grey[:, None].astype(np.float32) / 255 - mean[:, None, None]) / deviation[:, None, None]
    return torch.from_numpy(np.ascontiguousarray(values, np.float32))
