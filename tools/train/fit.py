"""The training loop: random crops, heatmap and locref loss, AdamW under a cosine, averaged weights."""

from __future__ import annotations

import copy
import dataclasses
import time
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from .augment import Augmentation, Frame, Points, random_sample
from .network import OFFSET, SCALE, STRIDE, PoseNet
from .targets import decode, encode

Source = Callable[[np.random.Generator], tuple[Frame, Points]]  # draws one labelled frame


@dataclasses.dataclass(frozen=True)
class Recipe:
    """What one training does; the same recipe and seed give the same weights on the same machine."""

    steps: int = 3000
    batch: int = 8
    learning_rate: float = 2e-3
    weight_decay: float = 0.02
    warmup_steps: int = 100
    average_decay: float = 0.998
    locref_weight: float = 20.0
    seed: int = 0
    threads: int = 1


def to_tensor(frames: Frame) -> Tensor:
    """Network tensor (N, 1, H, W) of frames (N, H, W) uint8."""
    return torch.from_numpy(frames).float().mul_(SCALE).add_(OFFSET)[:, None]


def draw_batch(rng: np.random.Generator, source: Source, how: Augmentation, batch: int) -> tuple[Tensor, ...]:
    """Inputs and target maps of one step: frames, heatmap, locref, near."""
    cells = how.size_px // STRIDE
    crops, maps = [], []
    for _ in range(batch):
        crop, points = random_sample(rng, *source(rng), how)
        crops.append(crop)
        maps.append(encode(points, cells, cells))
    targets = (torch.from_numpy(np.stack(part)) for part in zip(*maps, strict=True))
    return (to_tensor(np.stack(crops)), *targets)


def loss_of(maps: tuple[Tensor, Tensor], targets: list[Tensor], locref_weight: float) -> Tensor:
    """Cross entropy of the cells plus the distance in locref units near the keypoints."""
    (heatmap, locref), (peak, offset, near) = maps, targets
    batch, bodyparts, rows, columns = peak.shape
    cells = functional.binary_cross_entropy_with_logits(heatmap, peak, reduction="sum") / (batch * bodyparts)
    difference = (locref - offset).view(batch, bodyparts, 2, rows, columns)
    distance = (difference.square().sum(dim=2) + 1e-4).sqrt()  # Euclidean, smooth at zero
    weight = near * (0.1 + peak)  # the decoder reads the cell at the peak
    loss: Tensor = cells + locref_weight * (distance * weight).sum() / weight.sum().clamp(min=1.0)
    return loss


def with_layout(network: PoseNet, layout: torch.memory_format) -> PoseNet:
    """The network with its weights in another memory layout; channels_last trains faster on a CPU."""
    for parameter in network.parameters():
        if parameter.dim() == 4:
            parameter.data = parameter.data.contiguous(memory_format=layout)
    return network.train()


def learning_rate_factor(step: int, recipe: Recipe) -> float:
    """Linear warm-up, then half a cosine down to zero."""
    warm = min(1.0, (step + 1) / recipe.warmup_steps)
    return warm * 0.5 * (1.0 + float(np.cos(np.pi * step / recipe.steps)))


@torch.no_grad()
def average_into(mean: PoseNet, network: PoseNet, decay: float, step: int) -> None:
    """Move the averaged weights towards the network's; early on the average is short."""
    decay = min(decay, (1 + step) / (10 + step))
    for kept, new in zip(mean.state_dict().values(), network.state_dict().values(), strict=True):
        if kept.dtype.is_floating_point:
            kept.lerp_(new, 1.0 - decay)
        else:
            kept.copy_(new)


def train(
    source: Source,
    bodyparts: int,
    how: Augmentation,
    recipe: Recipe,
    *,
    start: dict[str, Tensor] | None = None,
    say: Callable[[str], None] = print,
) -> PoseNet:
    """Train a network on frames that `source` draws; returns the averaged weights, ready for inference.

    `start` holds the weights of an earlier training to go on from; without it they are random.
    """
    torch.set_num_threads(recipe.threads)
    torch.manual_seed(recipe.seed)
    rng = np.random.default_rng(recipe.seed)
    network = with_layout(PoseNet(bodyparts), torch.channels_last)
    if start is not None:
        network.load_state_dict(start)
    mean = copy.deepcopy(network).eval()
    optimiser = torch.optim.AdamW(
        network.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: learning_rate_factor(step, recipe))
    began, running = time.monotonic(), 0.0
    for step in range(recipe.steps):
        frames, *targets = draw_batch(rng, source, how, recipe.batch)
        loss = loss_of(network(frames), targets, recipe.locref_weight)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 10.0)
        optimiser.step()
        schedule.step()
        average_into(mean, network, recipe.average_decay, step)
        running += (loss.item() - running) / min(step + 1, 100)
        if (step + 1) % 100 == 0:
            say(f"step {step + 1}/{recipe.steps} loss {running:.3f} {time.monotonic() - began:.0f} s")
    return with_layout(mean, torch.contiguous_format).eval()


@torch.no_grad()
def predict(network: PoseNet, frame: Frame) -> Points:
    """Keypoints (K, 3) x, y, likelihood of one whole frame (H, W); sides must be multiples of the stride."""
    heatmap, locref = network.eval()(to_tensor(frame[None]))
    return decode(heatmap[0].numpy(), locref[0].numpy())
