"""Builds sleap-nn models from a seed, exports them with its own exporter and runs its own inference.

Runs in an environment of its own (`nox -s oracle_sleap` makes one): ``python tools/oracles/sleap.py FOLDER``.
FOLDER/<kind>/export is what `fastpose import` reads, FOLDER/<kind>/tool.npz what sleap-nn says on the frames:
``checkpoint`` (its PyTorch inference, integral refinement) and ``export`` (the ONNX graph's own grid peaks),
(n, individuals, K, 3) x, y, score.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from frames import oracle_frames
from omegaconf import OmegaConf
from sleap_nn.config.model_config import UNetConfig
from sleap_nn.config.training_job_config import TrainingJobConfig
from sleap_nn.export.cli import export
from sleap_nn.inference.predictor import Predictor
from sleap_nn.training import lightning_modules

PARTS = ("snout", "ear_left", "ear_right", "tailbase")
EDGES = ((1, 3), (0, 1), (0, 2))  # not in the order in which they are walked
SIZE = (160, 128)  # width, height, px
CROP = 64
MOST_ANIMALS = 4

MODULES = {
    "single_instance": lightning_modules.SingleInstanceLightningModule,
    "centroid": lightning_modules.CentroidLightningModule,
    "centered_instance": lightning_modules.TopDownCenteredInstanceLightningModule,
    "bottomup": lightning_modules.BottomUpLightningModule,
}
CONFMAPS = {"part_names": list(PARTS), "sigma": 2.5, "output_stride": 2}
HEADS: dict[str, Any] = {
    "single_instance": {"confmaps": CONFMAPS},
    "centroid": {"confmaps": {"anchor_part": "snout", "sigma": 2.5, "output_stride": 2}},
    "centered_instance": {"confmaps": {**CONFMAPS, "anchor_part": "snout"}},
    "bottomup": {
        "confmaps": {**CONFMAPS, "loss_weight": 1.0},
        "pafs": {
            "edges": [[PARTS[a], PARTS[b]] for a, b in EDGES],
            "sigma": 8.0,
            "output_stride": 4,
            "loss_weight": 1.0,
        },
    },
}


def config(kind: str, channels: int, scale: float) -> Any:
    """The training config of a small UNet with one head."""
    skeleton = {
        "name": "mouse",
        "nodes": [{"name": part} for part in PARTS],
        "edges": [{"source": {"name": PARTS[a]}, "destination": {"name": PARTS[b]}} for a, b in EDGES],
    }
    made = OmegaConf.create(OmegaConf.to_container(OmegaConf.structured(TrainingJobConfig())))
    unet = OmegaConf.structured(UNetConfig(in_channels=channels, filters=4, max_stride=8, output_stride=2))
    made.model_config.backbone_config.unet = OmegaConf.create(OmegaConf.to_container(unet))
    made.model_config.head_configs[kind] = OmegaConf.create(HEADS[kind])
    made.data_config.preprocessing.scale = scale
    made.data_config.preprocessing.crop_size = CROP
    made.data_config.skeletons = [skeleton]
    return made


def train_folder(folder: Path, kind: str, *, channels: int = 1, scale: float = 1.0) -> Path:
    """Write what a training leaves: the config and a checkpoint, with weights from a seed."""
    folder.mkdir(parents=True, exist_ok=True)
    made = config(kind, channels, scale)
    torch.manual_seed(sum(kind.encode()))
    model = made.model_config
    module = MODULES[kind](
        model_type=kind,
        backbone_type="unet",
        backbone_config=model.backbone_config,
        head_configs=model.head_configs,
        init_weights="xavier",
    )
    level_heads(module.model, channels)
    OmegaConf.save(made, folder / "training_config.yaml")
    torch.save(
        {"state_dict": module.state_dict(), "pytorch-lightning_version": "2.5.0"}, folder / "best.ckpt"
    )
    return folder


def level_heads(model: torch.nn.Module, channels: int) -> None:
    """Scale each head's last layer so that its maps are like those of a trained network.

    Maps of one animal have mean 0.1 and a maximum of 0.9. Those of several are above 0.2 in one cell of a
    hundred, fields have a deviation of 0.6.
    """
    frames = torch.tensor(oracle_frames(SIZE, channels)).float().reshape(-1, *SIZE[::-1], channels)
    model.eval()
    with torch.no_grad():
        maps = model(frames.permute(0, 3, 1, 2) / 255)
        for head, layers in zip(model.heads, model.head_layers, strict=True):
            found = maps[head.name] if head.name in maps else maps[type(head).__name__]
            last = [layer for layer in layers.modules() if isinstance(layer, torch.nn.Conv2d)][-1]
            gain, offset = levels(type(head).__name__, found.transpose(0, 1).flatten(1))
            last.bias.copy_(last.bias * gain + offset)
            last.weight.mul_(gain[:, None, None, None])


def levels(head: str, cells: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Gain and offset of each channel (channels, cells)."""
    if head == "PartAffinityFieldsHead":
        gain = 0.6 / cells.std(1)
        return gain, -cells.mean(1) * gain
    high = cells.amax(1)
    several = head in ("CentroidConfmapsHead", "MultiInstanceConfmapsHead")
    low, value = (cells.quantile(0.99, dim=1), 0.2) if several else (cells.mean(1), 0.1)
    gain = (0.9 - value) / (high - low)
    return gain, value - low * gain


def poses(outputs: list[Any], count: int) -> np.ndarray:
    """Keypoints (n, individuals, K, 3) of sleap-nn's outputs, one a frame."""
    found = []
    for output in outputs:
        points = output.pred_keypoints.cpu().numpy()
        scores = output.pred_peak_values.cpu().numpy()[..., None]
        found.append(np.concatenate([points, scores], axis=-1).reshape(-1, count, 3))
    most = max(len(pose) for pose in found)
    padded = [np.pad(pose, ((0, most - len(pose)), (0, 0), (0, 0)), constant_values=np.nan) for pose in found]
    return np.stack(padded).astype(np.float32)


def run(predictor: Any, frames: np.ndarray) -> np.ndarray:
    """What a predictor says on frames (n, H, W[, C])."""
    batches = frames.reshape(len(frames), *SIZE[::-1], -1)
    return poses([predictor.layer.predict(frame[None]) for frame in batches], len(PARTS))


def make(folder: Path, kinds: tuple[str, ...], **options: Any) -> None:
    """Train folder, export and answers of one model (or of a centroid and a crop model together)."""
    trained = [train_folder(folder / kind, kind, **options) for kind in kinds]
    arguments = [*map(str, trained), "-o", str(folder / "export"), "--max-instances", str(MOST_ANIMALS)]
    arguments += ["--input-width", str(SIZE[0]), "--input-height", str(SIZE[1])]
    export.main(args=arguments, standalone_mode=False)
    frames = oracle_frames(SIZE, options.get("channels", 1))
    paths = [str(path) for path in trained]
    checkpoint = Predictor.from_model_paths(paths, device="cpu", max_instances=MOST_ANIMALS)
    exported = Predictor.from_export_dir(folder / "export", runtime="onnx", device="cpu")
    np.savez_compressed(folder / "tool.npz", checkpoint=run(checkpoint, frames), export=run(exported, frames))


def main() -> None:
    """Make every kind in the folder that the command line names."""
    folder = Path(sys.argv[1])
    make(folder / "single", ("single_instance",))
    make(folder / "single_rgb", ("single_instance",), channels=3)
    make(folder / "single_half", ("single_instance",), scale=0.5)
    make(folder / "topdown", ("centroid", "centered_instance"))
    make(folder / "topdown_half", ("centroid", "centered_instance"), scale=0.5)
    make(folder / "topdown_rgb", ("centroid", "centered_instance"), channels=3)
    make(folder / "bottomup", ("bottomup",))
    make(folder / "bottomup_half", ("bottomup",), scale=0.5)


if __name__ == "__main__":
    main()
