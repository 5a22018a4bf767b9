"""Makes the exports that every tool loads: DeepLabCut 3's form, weights from a seed and a short training."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from benches.compare.cases import Network
from benches.compare.frames import Scene
from benches.compare.training import SCHEDULES, train
from tools.oracles.dlc_live_cases import CONFIG

from fastpose.importing.extra import require
from fastpose.importing.seeded import fill, seed_pose_model, seeded_frames

__all__ = ["BODYPARTS", "config_of", "write_export"]

BODYPARTS = ("snout", "leftear", "rightear", "tailbase")
SEED = 31


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
        BACKBONES[name] = partial(_extra, module)
    config = config_of(network)
    section = config["model"]["backbone"]
    heads = {"bodypart": HEADS["HeatmapHead"](config["model"]["heads"]["bodypart"])}
    model = PoseNetwork(read_config(config, network.name), BACKBONES[section["type"]](section), heads).eval()
    made_by = _weights(network, model, scene)
    torch.save({"config": config, "pose": model.state_dict(), "detector": None}, path)
    return made_by


def _extra(module: Any, section: Mapping[str, Any]) -> Any:
    return module(**section)


def _weights(network: Network, model: Any, scene: Scene) -> dict[str, Any]:
    if network.name == "openfield":
        _take_openfield(model)
        return {"weights": "models/openfield"}
    if scene.points is None:
        seed_pose_model(model, seeded_frames(4, 256, 256, SEED), SEED)
        return {"weights": f"seed {SEED}, heads too"}
    fill(model, SEED)
    schedule = SCHEDULES[network.name]
    train(model, scene, schedule)
    frames = len(scene.frames)
    return {"weights": f"seed {SEED}, then {schedule.steps} steps of training on {frames} frames"}


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
