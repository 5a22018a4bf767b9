"""Makes the exports that every tool loads: backbones from a seed, heads fitted to the recording.

A head is one transposed convolution, linear in the features. Least squares find the weights whose heatmap is
high at the keypoints that models/openfield sees, and whose locref points to them: no training, and yet a
network that finds the animal, so that distances in pixels and tracking mean what they mean to a user. The
3x3 kernels of stride 2 are bilinear enlarging: cell i of the features lies on cell 2 i + 1 of the maps.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from benches.compare.cases import Network
from benches.compare.frames import Scene, frames_of
from benches.compare.training import STEPS, train
from tools.oracles.dlc_live_cases import CONFIG

from fastpose.importing.extra import require
from fastpose.importing.seeded import fill, seed_pose_model, seeded_frames, settle_norms

__all__ = ["BODYPARTS", "config_of", "fitted_kernel", "network_input", "normal_equations", "write_export"]

Array = npt.NDArray[np.float64]

BODYPARTS = ("snout", "leftear", "rightear", "tailbase")
SEED = 31
LOCREF_PX = 7.2801
SIGMA_PX, NEAR_PX, REACH_PX = 12.0, 20.0, 64.0
RIDGE = 1e-3
WINDOWS = ((256, 256, 48, 2), (658, 302, 12, 1), (1280, 1024, 2, 1))
"""Width, height, how many of the scene's frames the heads are fitted to, and how often."""
TRAINED = ("unet", "mobilenet")
"""Networks with too few features for that: small enough for some steps of training."""


def config_of(network: Network) -> dict[str, Any]:
    """What DeepLabCut 3 writes as the config of such an export."""
    config = copy.deepcopy(CONFIG)
    config["metadata"]["bodyparts"] = list(BODYPARTS)
    config["net_type"] = network.name
    model = config["model"]
    model["backbone"], model["backbone_output_channels"] = dict(network.backbone), network.channels
    head, parts = model["heads"]["bodypart"], len(BODYPARTS)
    shape = {"kernel_size": [1], "strides": [1]} if network.name == "openfield" else {}
    head["heatmap_config"] |= {"channels": [network.channels, parts], **shape}
    head["locref_config"] |= {"channels": [network.channels, 2 * parts], **shape}
    if network.name == "openfield":
        config["data"]["inference"] = {"normalize_images": False, "scale_to_unit_range": True}
        head["predictor"] |= {"apply_sigmoid": True, "clip_scores": False}
    if network.multiple > 1:
        padding = {"pad_height_divisor": network.multiple, "pad_width_divisor": network.multiple}
        config["data"]["inference"]["auto_padding"] = padding
    return config


def write_export(network: Network, scene: Scene, path: Path) -> dict[str, Any]:
    """Write the ``.pt`` that DeepLabCut-live and `fastpose import` load; returns whose weights they are."""
    torch = require("torch")
    from benches.compare.networks import BACKBONES as EXTRA

    from fastpose.importing.dlc3_config import read_config
    from fastpose.importing.networks.pose_network import PoseNetwork
    from fastpose.importing.networks.table import BACKBONES, HEADS

    for name, module in EXTRA.items():
        BACKBONES[name] = lambda section, module=module: module(**section)
    config = config_of(network)
    section = config["model"]["backbone"]
    heads = {"bodypart": HEADS["HeatmapHead"](config["model"]["heads"]["bodypart"])}
    model = PoseNetwork(read_config(config, network.name), BACKBONES[section["type"]](section), heads).eval()
    made_by = _weights(network, model, scene)
    torch.save({"config": config, "pose": model.state_dict(), "detector": None}, path)
    return made_by


def _weights(network: Network, model: Any, scene: Scene) -> dict[str, Any]:
    if network.name == "openfield":
        _take_openfield(model)
        return {"weights": "models/openfield"}
    if scene.points is None:
        seed_pose_model(model, seeded_frames(4, 256, 256, SEED), SEED)
        return {"weights": f"seed {SEED}, heads too"}
    fill(model, SEED)
    if network.name in TRAINED:
        train(model, scene)
        return {"weights": f"seed {SEED}, trained for {STEPS} steps on {len(scene.frames)} frames"}
    frames, _ = frames_of(scene, (256, 256), arena=False)
    settle_norms(model, lambda: model(network_input(frames[::6])))
    _fit_heads(model, scene, network.multiple)
    return {"weights": f"seed {SEED}, heads fitted by least squares"}


def network_input(grey: npt.NDArray[np.uint8]) -> Any:
    """(n, h, w) to (n, 3, h, w), normalised as DeepLabCut does."""
    import torch

    mean, deviation = np.float32((0.485, 0.456, 0.406)), np.float32((0.229, 0.224, 0.225))
    values = (grey[:, None].astype(np.float32) / 255 - mean[:, None, None]) / deviation[:, None, None]
    return torch.from_numpy(np.ascontiguousarray(values, np.float32))


def _fit_heads(model: Any, scene: Scene, multiple: int) -> None:
    features, heat, locref, near = [], [], [], []
    for frame, keypoints in _windows(scene, multiple):
        rows = _rows(model, frame, keypoints)
        for into, part in zip((features, heat, locref, near), rows, strict=True):
            into.append(part)
    x = np.concatenate(features)
    head = model.heads["bodypart"]
    _set(head.heatmap_head, fitted_kernel(x, np.concatenate(heat)))
    close = np.concatenate(near)
    wanted = np.concatenate(locref)
    pairs = [fitted_kernel(x[c], wanted[c, k]) for k, c in enumerate(close.T)]
    _set(head.locref_head, np.concatenate(pairs, 1))


def _windows(scene: Scene, multiple: int) -> Iterator[tuple[npt.NDArray[np.uint8], Array]]:
    """Frames (h, w) and keypoints (K, 2) in them."""
    for width, height, count, times in WINDOWS:
        size = (width // multiple * multiple, height // multiple * multiple)
        for seed in range(times):
            frames, points = frames_of(scene, size, arena=width > 1000, seed=seed)
            assert points is not None
            yield from zip(frames[:count], points[:count], strict=True)


def _rows(model: Any, frame: npt.NDArray[np.uint8], points: Array) -> tuple[Array, Array, Array, Any]:
    """Cells of one frame: features (m, C), heatmaps (m, K), locref (m, K, 2), near (m, K).

    All cells near the animal, some of the others.
    """
    import torch

    with torch.inference_mode():
        maps = model.backbone(network_input(frame[None]))[0].numpy()
    stride = model.backbone.stride
    rows, columns = np.mgrid[: maps.shape[1], : maps.shape[2]]
    half = stride / 2
    centres = np.stack([columns, rows], -1).reshape(-1, 2) * stride + half + half / 2
    offsets = points[None] - centres[:, None]
    distance = np.linalg.norm(offsets, axis=2)
    keep = distance.min(1) < REACH_PX
    keep[:: max(1, len(keep) // 200)] = True
    x = maps.reshape(len(maps), -1).T[keep].astype(np.float64)
    heat = np.exp(-(distance[keep] ** 2) / (2 * SIGMA_PX**2))
    return x, heat, offsets[keep] / LOCREF_PX, distance[keep] < NEAR_PX


def fitted_kernel(x: Array, y: Array) -> Array:
    """Weights (C + 1, n) of ``[x, 1] @ w`` nearest to y; the last row is the constant.

    Parameters
    ----------
    x : (m, C)
    y : (m, n)
    """
    centred, mean, deviation = normal_equations(x)
    level = y.mean(0)
    gram = centred.T @ centred / len(x)
    gram[np.diag_indices_from(gram)] += RIDGE
    slopes = np.linalg.solve(gram, centred.T @ (y - level) / len(x)) / deviation[:, None]
    return np.concatenate([slopes, (level - mean @ slopes)[None]])


def normal_equations(x: Array) -> tuple[Array, Array, Array]:
    """Columns of x with mean 0 and deviation 1 (0 where they are constant), their mean and deviation."""
    mean, deviation = x.mean(0), x.std(0)
    deviation[deviation < 1e-9] = np.inf
    return (x - mean) / deviation, mean, deviation


def _set(head: Any, weights: Array) -> None:
    """Slopes into the only layer of a head, spread over its kernel bilinearly; the constant is its bias."""
    import torch

    layer = head.deconv_layers[0]
    taps = np.array([0.5, 1.0, 0.5]) if layer.kernel_size[0] == 3 else np.ones(1)
    kernel = weights[:-1, :, None, None] * taps[:, None] * taps[None]
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(kernel.astype(np.float32)))
        layer.bias.copy_(torch.from_numpy(weights[-1].astype(np.float32)))


def _take_openfield(model: Any) -> None:
    """Weights of models/openfield/model.onnx, by their names there."""
    import torch

    onnx = require("onnx")
    graph = onnx.load("models/openfield/model.onnx").graph
    values = {each.name: onnx.numpy_helper.to_array(each) for each in graph.initializer}
    state = {f"backbone.{name}": value for name, value in values.items() if ".conv." in name}
    for head in ("heatmap", "locref"):
        layer = f"heads.bodypart.{head}_head.deconv_layers.0"
        state[f"{layer}.weight"] = values[f"{head}.weight"].transpose(1, 0, 2, 3)
        state[f"{layer}.bias"] = values[f"{head}.bias"]
    model.load_state_dict({name: torch.from_numpy(value.copy()) for name, value in state.items()})
