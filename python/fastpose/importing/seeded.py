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

__all__ = [
    "fill",
    "scale_layer",
    "scale_layers",
    "seed_detector",
    "seed_pose_model",
    "seeded_frames",
    "seeded_tensor",
    "seeded_tensors",
    "settle_norms",
    "weaken_branches",
]

CELL_PX = 16
BRANCH_ENDS = (".bn3.weight", ".conv2.pointwise_conv.norm.weight")
"""Last norms of residual branches: of ResNet's bottlenecks and of CSPNeXt's blocks."""


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
    """Give every batch norm, frozen ones too, the statistics of one forward pass; then eval mode.

    Parameters
    ----------
    model : torch.nn.Module
    forward : callable
        Runs the model once on a fixed frame.
    """
    import torch

    model.eval()
    norms = [module for module in model.modules() if getattr(module, "running_var", None) is not None]
    hooks = [norm.register_forward_pre_hook(_take_statistics) for norm in norms]
    with torch.no_grad():
        forward()
    for hook in hooks:
        hook.remove()


def _take_statistics(norm: Any, inputs: tuple[Any, ...]) -> None:
    axes = (0, *range(2, inputs[0].ndim))
    norm.running_mean.copy_(inputs[0].mean(axes))
    cells = inputs[0].numel() // inputs[0].shape[1]
    if cells > 1:
        norm.running_var.copy_(inputs[0].var(axes).nan_to_num(1.0).clamp_min(0.01))
    else:
        norm.running_var.fill_(1.0)


def scale_layer(layer: Any, output: Any, *, mean: float = 0.2, deviation: float = 0.12) -> None:
    """Scale a linear layer so that each channel of what it gave has this mean and deviation.

    Parameters
    ----------
    layer : torch.nn.Conv2d, ConvTranspose2d or Linear
        The last layer of a head. Without a bias only the deviation is set, over all channels together.
    output : torch.Tensor
        What it gives now: (1, channels, h, w), or (..., channels) for Linear.
    mean, deviation : float
        Wanted, per channel.
    """
    import torch

    axis = -1 if isinstance(layer, torch.nn.Linear) else 1
    flat = output.detach().movedim(axis, 0).flatten(1).double()
    if layer.bias is None:
        flat = flat.flatten().expand(flat.shape[0], -1)
    factor = torch.ones(len(flat), dtype=flat.dtype)  # a map may have one cell
    if flat.shape[1] > 1:
        factor = (deviation / flat.std(1).clamp_min(1e-12)).nan_to_num(1.0)
    channel_axis = 1 if isinstance(layer, torch.nn.ConvTranspose2d) else 0
    shape = [1] * layer.weight.ndim
    shape[channel_axis] = -1
    with torch.no_grad():
        layer.weight.mul_(factor.reshape(shape).float())
        if layer.bias is not None:
            layer.bias.copy_((mean + (layer.bias.double() - flat.mean(1)) * factor).float())


def scale_layers(
    model: Any, forward: Callable[[], object], wanted: Mapping[str, tuple[float, float]]
) -> None:
    """Scale layers, given by name with the (mean, deviation) of their outputs, from one forward pass.

    A layer that runs several times in a pass is scaled by its first output; layers that feed each other need
    a call each, the earlier first.
    """
    import torch

    outputs: dict[str, Any] = {}
    layers = {name: model.get_submodule(name) for name in wanted}
    hooks = [layer.register_forward_hook(_keep_first(outputs, name)) for name, layer in layers.items()]
    with torch.no_grad():
        forward()
    for hook in hooks:
        hook.remove()
    for name, (mean, deviation) in wanted.items():
        scale_layer(layers[name], outputs[name], mean=mean, deviation=deviation)


def _keep_first(outputs: dict[str, Any], name: str) -> Callable[..., None]:
    def hook(_layer: Any, _inputs: Any, output: Any) -> None:
        outputs.setdefault(name, output)

    return hook


def weaken_branches(model: Any, gain: float) -> None:
    """Multiply what residual branches add, by the names of their last norms; see `seed_pose_model`."""
    import torch

    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith(BRANCH_ENDS):
                parameter.mul_(gain)


def seed_pose_model(
    model: Any, frames: npt.NDArray[np.uint8], seed: int, *, branch_gain: float = 1.0
) -> None:
    """Give a DeepLabCut pose model weights whose poses are well defined, by the names of its state dict.

    Heatmaps of plain heads get mean 0.2 and deviation 0.12, those of heads with part affinity fields (before
    the sigmoid) -6 and 3, locref and fields 0 and 0.3, SimCC logits a deviation of 0.0035.

    Parameters
    ----------
    model : torch.nn.Module
        With DeepLabCut's names; takes (n, 3, h, w).
    frames : (n, h, w, 3) uint8
        RGB, of a size that the network takes; see `seeded_frames`. A few, as coarse maps have few cells.
    seed : int
    branch_gain : float
        Factor on residual branches. At 1 each block of a random network enlarges errors of rounding, as no
        block of a trained one does: a hundred layers make a fourth digit of the seventh.
    """
    tensor = _network_input(frames)
    fill(model, seed)
    weaken_branches(model, branch_gain)
    settle_norms(model, lambda: model(tensor))
    scale_layers(model, lambda: model(tensor), _wanted(model.state_dict()))


def seed_detector(model: Any, frames: npt.NDArray[np.uint8], seed: int) -> None:
    """Give a torchvision detector, under DeepLabCut's names, weights that find a few boxes.

    Parameters
    ----------
    model : torch.nn.Module
        An SSDLite or Faster R-CNN of two classes; takes a list with a (3, h, w) tensor, in eval mode.
    frames : (n, h, w, 3) uint8
        RGB; see `seeded_frames`. A few, as coarse maps have few cells.
    seed : int
    """
    tensors = list(_network_input(frames))
    fill(model, seed)
    settle_norms(model, lambda: model(tensors))
    for wanted in _wanted_of_detector(model.state_dict()):
        scale_layers(model, lambda: model(tensors), wanted)


def _wanted_of_detector(names: Mapping[str, Any]) -> list[dict[str, tuple[float, float]]]:
    """The last layers of a detector's heads, in the order in which they feed each other."""
    stages: tuple[tuple[tuple[str, tuple[float, float]], ...], ...] = (
        (("rpn.head.cls_logits", (0.0, 1.0)), ("rpn.head.bbox_pred", (0.0, 0.2))),
        (("box_predictor.cls_score", (0.0, 0.7)), ("box_predictor.bbox_pred", (0.0, 0.5))),
        (("classification_head", (0.0, 0.7)), ("regression_head", (0.0, 0.5))),
    )
    wanted = [{layer: how for part, how in stage for layer in _last_layers(names, part)} for stage in stages]
    return [stage for stage in wanted if stage]


def _last_layers(names: Mapping[str, Any], part: str) -> list[str]:
    """Layers with a bias of four axes or two in a part of a network; of several scales the last of each."""
    layers = [name.removesuffix(".weight") for name in names if name.endswith(".weight") and part in name]
    last = {layer.rpartition(".")[0] if "module_list" in layer else layer: layer for layer in layers}
    ends = [layer for layer in last.values() if len(names[f"{layer}.weight"].shape) in (2, 4)]
    return [layer for layer in ends if f"{layer}.bias" in names]


def _network_input(frames: npt.NDArray[np.uint8]) -> Any:
    """DeepLabCut's normalisation: (n, h, w, 3) uint8 to (n, 3, h, w) float32."""
    import torch

    mean = np.array([0.485, 0.456, 0.406], np.float32)
    deviation = np.array([0.229, 0.224, 0.225], np.float32)
    values = (frames.astype(np.float32) / np.float32(255) - mean) / deviation
    return torch.from_numpy(np.ascontiguousarray(values.transpose(0, 3, 1, 2)))


def _wanted(names: Mapping[str, Any]) -> dict[str, tuple[float, float]]:
    """The last layers of the heads, with the mean and deviation that they get."""
    last: dict[str, str] = {}
    for name in names:
        head, _, rest = name.partition("_head.")
        if rest and name.startswith("heads.") and name.endswith(".weight"):
            last[head] = name.removesuffix(".weight")
    has_paf = {head.rpartition(".")[0] for head in last if head.endswith(".paf")}
    wanted = {}
    for head, layer in last.items():
        owner, _, kind = head.rpartition(".")
        heatmap = (-6.0, 3.0) if owner in has_paf else (0.2, 0.12)
        wanted[layer] = heatmap if kind == "heatmap" else (0.0, 0.3)
    simcc = [name for name in names if name.endswith((".cls_x.weight", ".cls_y.weight"))]
    return wanted | {name.removesuffix(".weight"): (0.0, 0.0035) for name in simcc}


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
