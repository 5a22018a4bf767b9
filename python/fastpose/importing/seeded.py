"""Fills any network from a seed, tensor by tensor, so that two tools hold the same weights without a file.

This file stands alone (NumPy at load, torch inside functions): an oracle loads it by its path in another
tool's environment.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["fill", "scale_layer", "seeded_frames", "seeded_tensor", "seeded_tensors", "settle_norms"]

CELL_PX = 16


def seeded_tensor(name: str, shape: tuple[int, ...], seed: int) -> npt.NDArray[np.float32]:
    """One tensor of a state dict, from its name and the seed alone.

    Weights of two or more axes are normal with variance 2 / fan-in (He et al. 2015, fan-in: all axes but the
    first), weights of one axis lie around 1, biases around 0; running means are 0, running variances 1.

    Parameters
    ----------
    name : str
        The key in the state dict; only the part after the last dot decides on the distribution.
    shape : tuple of int
    seed : int

    Returns
    -------
    (*shape) float32
    """
    kind = name.rpartition(".")[2]
    if kind in ("running_mean", "num_batches_tracked"):
        return np.zeros(shape, np.float32)
    if kind == "running_var":
        return np.ones(shape, np.float32)
    key = hashlib.sha256(name.encode()).digest()
    normal = np.random.default_rng([seed, *key]).standard_normal(shape, np.float32)
    if len(shape) >= 2:
        return np.asarray(normal * np.float32(math.sqrt(2.0 / math.prod(shape[1:]))), np.float32)
    centre = np.float32(0 if kind.endswith("bias") or kind == "beta" else 1)
    return np.asarray(centre + np.float32(0.1) * normal, np.float32)


def seeded_tensors(shapes: Mapping[str, tuple[int, ...]], seed: int) -> dict[str, npt.NDArray[np.float32]]:
    """Every tensor of a state dict: name to array, see `seeded_tensor`."""
    return {name: seeded_tensor(name, tuple(shape), seed) for name, shape in shapes.items()}


def fill(model: Any, seed: int) -> None:
    """Overwrite a torch module's parameters and floating-point buffers, by their names in its state dict.

    Tensors that are constants of the network (buffers other than norm statistics) stay.
    """
    import torch

    parameters = dict(model.named_parameters())
    with torch.no_grad():
        for name, tensor in model.state_dict().items():
            if name in parameters or name.rpartition(".")[2] in ("running_mean", "running_var"):
                tensor.copy_(torch.from_numpy(seeded_tensor(name, tuple(tensor.shape), seed)))


def settle_norms(model: Any, forward: Callable[[], object]) -> None:
    """Give every batch norm the statistics of one forward pass; the model is left in eval mode.

    Parameters
    ----------
    model : torch.nn.Module
    forward : callable
        Runs the model once on a fixed frame.
    """
    import torch

    model.eval()
    norms = [m for m in model.modules() if isinstance(m, torch.nn.modules.batchnorm._BatchNorm)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.train()
        norm.reset_running_stats()
        norm.momentum = None
    with torch.no_grad():
        forward()
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    model.eval()


def scale_layer(layer: Any, output: Any, *, mean: float = 0.2, deviation: float = 0.12) -> None:
    """Scale a linear layer so that each channel of what it gave has this mean and deviation.

    Parameters
    ----------
    layer : torch.nn.Conv2d, ConvTranspose2d or Linear
        The last layer of a head; it has a bias.
    output : torch.Tensor
        What it gives now: (1, channels, h, w), or (..., channels) for Linear.
    mean, deviation : float
        Wanted, per channel.
    """
    import torch

    axis = -1 if isinstance(layer, torch.nn.Linear) else 1
    flat = output.detach().movedim(axis, 0).flatten(1).double()
    factor = deviation / flat.std(1).clamp_min(1e-12)
    channel_axis = 1 if isinstance(layer, torch.nn.ConvTranspose2d) else 0
    shape = [1] * layer.weight.ndim
    shape[channel_axis] = -1
    with torch.no_grad():
        layer.weight.mul_(factor.reshape(shape).float())
        layer.bias.copy_((mean + (layer.bias.double() - flat.mean(1)) * factor).float())


def seeded_frames(count: int, height: int, width: int, seed: int) -> npt.NDArray[np.uint8]:
    """Frames of soft colour patches with fine grain, in integer arithmetic: the same bits everywhere.

    Returns
    -------
    (count, height, width, 3) uint8
        RGB.
    """
    random = np.random.default_rng([seed, height, width])
    rows, columns = height // CELL_PX + 2, width // CELL_PX + 2
    coarse = random.integers(0, 256, (count, rows, columns, 3), dtype=np.int64)
    smooth = _finer(_finer(coarse, 1), 2)[:, :height, :width] // CELL_PX**2
    grain = random.integers(-24, 25, smooth.shape, dtype=np.int64)
    return np.asarray(np.clip(smooth + grain, 0, 255), np.uint8)


def _finer(values: npt.NDArray[np.int64], axis: int) -> npt.NDArray[np.int64]:
    """Linear interpolation by CELL_PX along an axis, times CELL_PX: integers stay integers."""
    start = np.take(values, range(values.shape[axis] - 1), axis)
    end = np.take(values, range(1, values.shape[axis]), axis)
    parts = [start * (CELL_PX - i) + end * i for i in range(CELL_PX)]
    stacked = np.stack(parts, axis + 1)
    shape = list(start.shape)
    shape[axis] *= CELL_PX
    return stacked.reshape(shape)
