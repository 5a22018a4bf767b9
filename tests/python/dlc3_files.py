"""Files as DeepLabCut 3 writes them, with weights from a seed."""

from __future__ import annotations

import copy
import os
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from PIL import Image

from fastpose.importing.dlc3_config import MEAN, STD, read_config
from fastpose.importing.frames import seeded_frames
from fastpose.importing.networks.heatmap_head import MapHead
from fastpose.importing.networks.pose_network import PoseNetwork, _backbone, _heads

BODYPARTS = ("snout", "leftear", "rightear", "tailbase")
DATA = Path(os.environ.get("FASTPOSE_DATA", "../shared/data")) / "openfield-Pranav-2018-10-30"
SIZE = (160, 128)  # width, height: multiples of 32
AUTO_PADDING = {"pad_width_divisor": 32, "pad_height_divisor": 32}
HEATMAP_MEAN, HEATMAP_STD = 0.2, 0.12  # of the seeded heatmaps: the maxima stand out

BACKBONES: dict[str, tuple[dict[str, Any], int]] = {
    "resnet_50": ({"type": "ResNet", "model_name": "resnet50_gn", "output_stride": 16}, 2048),
    "resnet_50_bn_stride32": ({"type": "ResNet", "model_name": "resnet50", "output_stride": 32}, 2048),
    "resnet_101": ({"type": "ResNet", "model_name": "resnet101", "output_stride": 16}, 2048),
    "hrnet_w18": ({"type": "HRNet", "model_name": "hrnet_w18"}, 18),
    "hrnet_w32": ({"type": "HRNet", "model_name": "hrnet_w32"}, 32),
    "hrnet_w48": ({"type": "HRNet", "model_name": "hrnet_w48"}, 48),
}


def head(channels: int, parts: int, *, locref: bool = True, deconv: bool = True) -> dict[str, Any]:
    def maps(count: int) -> dict[str, Any]:
        if deconv:
            return {"channels": [channels, count], "kernel_size": [3], "strides": [2]}
        final = {"out_channels": count, "kernel_size": 1}
        return {"channels": [channels], "kernel_size": [], "strides": [], "final_conv": final}

    return {
        "type": "HeatmapHead",
        "predictor": {
            "type": "HeatmapPredictor",
            "apply_sigmoid": False,
            "clip_scores": True,
            "location_refinement": locref,
            "locref_std": 7.2801,
        },
        "heatmap_config": maps(parts),
        "locref_config": maps(2 * parts) if locref else None,
    }


def config(net: str, *, unique: tuple[str, ...] = (), **of_head: Any) -> dict[str, Any]:
    """A pytorch_config with what matters to a network in use."""
    backbone, channels = copy.deepcopy(BACKBONES[net])
    heads = {"bodypart": head(channels, len(BODYPARTS), **of_head)}
    if unique:
        heads["unique_bodypart"] = head(channels, len(unique), **of_head)
    padding = {"auto_padding": dict(AUTO_PADDING)} if backbone["type"] == "HRNet" else {}
    return {
        "net_type": net,
        "method": "bu",
        "metadata": {
            "bodyparts": list(BODYPARTS),
            "unique_bodyparts": list(unique),
            "individuals": ["animal"],
            "with_identity": False,
        },
        "data": {"colormode": "RGB", "inference": {"normalize_images": True, **padding}},
        "model": {"backbone": backbone, "backbone_output_channels": channels, "heads": heads},
    }


def frames(count: int = 3) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """(n, 128, 160, 3) uint8: around the mouse of the open field where that is here, else seeded."""
    files = sorted((DATA / "labeled-data").glob("*/*.png"))[:: max(1, 116 // count)][:count]
    if not files:
        return seeded_frames(SIZE, count=count)
    width, height = SIZE
    images = [np.asarray(Image.open(file).convert("RGB")) for file in files]
    return np.stack([image[150 : 150 + height, :width] for image in images])


def weights(description: dict[str, Any], *, seed: int = 0) -> dict[str, torch.Tensor]:
    """State dict of the config's network: seeded, and scaled so that maxima of the heatmaps stand out."""
    parsed = read_config(description, "test")
    network = PoseNetwork(parsed, _backbone(parsed, "test"), _heads(parsed, "test"))
    generator = torch.Generator().manual_seed(seed)
    for parameter in network.parameters():
        if parameter.dim() > 1:
            fan_in = parameter[0].numel()
            torch.nn.init.normal_(parameter, std=(2 / fan_in) ** 0.5, generator=generator)
    with torch.no_grad():
        _calm(network)
        _settle(network)
    return network.state_dict()


def _calm(network: PoseNetwork) -> None:
    """Let each block add little to its shortcut, as in trained networks: else errors of rounding grow."""
    for module in network.modules():
        last = getattr(module, "bn3", getattr(module, "bn2", None))
        if last is not None and hasattr(module, "relu") and not hasattr(module, "layer1"):
            last.weight.fill_(0.2)


def _settle(network: PoseNetwork) -> None:
    """Take the statistics of batch normalisation from the frames; then scale the heads' last layers."""
    mean, std = (torch.tensor(values)[:, None, None] for values in (MEAN, STD))
    pixels = torch.from_numpy(frames()).permute(0, 3, 1, 2) / 255
    tensor = (pixels - mean) / std
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = None  # the mean over what it sees
    network.train()
    network(tensor)
    network.eval()
    features = network.backbone(tensor)
    for one in network.heads.values():
        _scale(one.heatmap_head, features, HEATMAP_MEAN, HEATMAP_STD)
        if one.locref_head is not None:
            _scale(one.locref_head, features, 0.0, 0.3)


def _scale(maps: MapHead, features: torch.Tensor, mean: float, std: float) -> None:
    last = maps.final_conv if isinstance(maps.final_conv, torch.nn.Conv2d) else maps.deconv_layers[-1]
    last.bias.zero_()
    found = maps(features)
    factor = std / found.std()
    last.weight *= factor
    last.bias += mean - found.mean() * factor


def write_export(path: Path, description: dict[str, Any], **changes: Any) -> Path:
    """A .pt as deeplabcut.export_model writes it; `changes` replace its keys, None takes one away."""
    pose = {} if "pose" in changes else {"pose": weights(description)}
    content = {"config": description, **pose, **changes}
    torch.save({key: value for key, value in content.items() if value is not None}, path)
    return path


def write_frames(folder: Path, count: int = 3) -> Path:
    """A folder of images."""
    return write_images(folder, frames(count))


def write_images(folder: Path, images: np.ndarray[Any, np.dtype[np.uint8]]) -> Path:
    """(n, H, W, 3) rgb as a folder of files."""
    folder.mkdir(parents=True, exist_ok=True)
    for index, frame in enumerate(images):
        Image.fromarray(frame).save(folder / f"img{index:04}.png")
    return folder


def write_project(root: Path, description: dict[str, Any], *, shuffle: int = 1, iteration: int = 0) -> Path:
    """A project with one trained shuffle: its train folder, without snapshots."""
    root.mkdir(parents=True, exist_ok=True)
    head_of_project = {"Task": "openfield", "bodyparts": list(BODYPARTS), "skeleton": [["snout", "leftear"]]}
    (root / "config.yaml").write_text(yaml.safe_dump(head_of_project))
    name = f"openfieldOct30-trainset95shuffle{shuffle}"
    train = root / "dlc-models-pytorch" / f"iteration-{iteration}" / name / "train"
    train.mkdir(parents=True)
    (train / "pytorch_config.yaml").write_text(yaml.safe_dump(description))
    return train


def write_snapshot(path: Path, description: dict[str, Any], *, epoch: int, seed: int = 0) -> Path:
    """A snapshot as DeepLabCut 3 writes it while it trains."""
    metadata = {"epoch": epoch, "metrics": {"test.rmse": np.float64(3.5)}, "losses": {}}
    torch.save({"model": weights(description, seed=seed), "metadata": metadata}, path)
    return path


def network_input(frame: np.ndarray[Any, np.dtype[np.uint8]]) -> np.ndarray[Any, np.dtype[np.float32]]:
    """(H, W, 3) to the normalised (1, 3, H, W)."""
    return ((frame / 255 - MEAN) / STD).astype(np.float32).transpose(2, 0, 1)[None]
