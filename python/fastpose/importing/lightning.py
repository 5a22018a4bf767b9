"""Reads Lightning Pose models that were exported to ONNX (``litpose export``)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from fastpose.errors import ModelError
from fastpose.importing import onnx_graph
from fastpose.importing.frames import reference_frames
from fastpose.importing.imported import Imported, Options, Reference
from fastpose.importing.lightning_context import FRAMES, single_frame_network
from fastpose.importing.run_network import run_network
from fastpose.importing.soft_decode import softmax_mean

__all__ = ["EXPORTS", "read"]

CONFIG = "config.yaml"
EXPORTS = "exports_onnx"
CONTEXT = "heatmap_mhcrnn"
SUPPORTED = ("heatmap", CONTEXT)
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # ImageNet's, as Lightning Pose normalises

TEMPERATURE = 1000.0
RADIUS_PX = 2  # two standard deviations of the 1.25 px that it trains with
SHIFT_PX = {1: 0.5, 2: 1.5, 3: 2.5}  # that Lightning Pose takes off for its enlarging
NOTES = {
    CONTEXT: "a context model: poses are those of its head that sees one frame; the other head also needs "
    "the two frames after it, which a closed loop does not have",
}


@dataclass(frozen=True)
class Config:
    """The part of ``config.yaml`` that says what the numbers mean."""

    model_type: str
    backbone: str
    keypoint_names: tuple[str, ...]
    size: tuple[int, int]
    """Width and height of the network's input, px."""
    downsample_factor: int


def read(source: Path, options: Options) -> Imported:
    """Read a model of Lightning Pose from its ONNX export; of a context model the head that sees one frame.

    Parameters
    ----------
    source : Path
        The model's folder (``config.yaml``, ``exports_onnx``), or an ``.onnx`` file in its ``exports_onnx``.
    options : Options
        `snapshot` names the export where there are several.

    Raises
    ------
    ModelError
        Files are missing or damaged, or the model is of a type that is not supported.
    """
    folder = source if source.is_dir() else source.parent.parent
    config = _config(folder)
    file = _export(folder, options.snapshot) if source.is_dir() else source
    network = _network(file, config)
    description = _description(config, options, folder, file)
    return Imported(
        description=description,
        files={"model.onnx": network},
        reference=_reference(network, config, description, options),
        found=(
            ("export", file.name),
            ("architecture", f"{config.model_type}, {config.backbone}"),
            ("input", f"{config.size[0]} x {config.size[1]} px"),
            ("body parts", ", ".join(config.keypoint_names)),
        ),
        notes=tuple(text for model_type, text in NOTES.items() if model_type == config.model_type),
    )


def _config(folder: Path) -> Config:
    try:
        content = yaml.safe_load((folder / CONFIG).read_text(encoding="utf-8"))
        data, model = content["data"], content["model"]
        size = data["image_resize_dims"]
        config = Config(
            model_type=str(model["model_type"]),
            backbone=str(model.get("backbone", "")),
            keypoint_names=tuple(map(str, data["keypoint_names"])),
            size=(int(size["width"]), int(size["height"])),
            downsample_factor=int(data.get("downsample_factor", 2)),
        )
    except OSError as error:
        raise ModelError(
            f"Lightning Pose model '{folder}': {CONFIG} cannot be read ({error.strerror})"
        ) from None
    except (ValueError, KeyError, TypeError, AttributeError, yaml.YAMLError) as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise ModelError(f"Lightning Pose model '{folder}': {CONFIG} is damaged ({reason})") from None
    _check(config, data)
    return config


def _check(config: Config, data: dict[str, Any]) -> None:
    allowed = ", ".join(SUPPORTED)
    if config.model_type not in SUPPORTED:
        raise ModelError(
            f"Lightning Pose: model_type {config.model_type!r} is not supported; allowed: {allowed}"
        )
    if len(data.get("view_names") or ()) > 1:
        raise ModelError("Lightning Pose: a model of several views is not supported; allowed: one view")
    if config.downsample_factor not in SHIFT_PX:
        raise ModelError(f"Lightning Pose: downsample_factor {config.downsample_factor}; allowed: 1, 2, 3")
    if not config.keypoint_names:
        raise ModelError(f"Lightning Pose: {CONFIG} names no keypoints (data.keypoint_names)")


def _export(folder: Path, name: str | None) -> Path:
    """The only export, or the only one in single precision, or the one that is named."""
    files = sorted((folder / EXPORTS).glob("*.onnx"))
    names = ", ".join(file.stem for file in files)
    if not files:
        raise ModelError(
            f"Lightning Pose model '{folder}' has no {EXPORTS}/*.onnx; make one with: litpose export "
            f"{folder} --onnx-precision fp32"
        )
    chosen = [file for file in files if name in (file.stem, file.name)] if name else files
    if len(chosen) > 1:
        chosen = [file for file in files if file.stem.endswith("_fp32")]
    if len(chosen) != 1:
        raise ModelError(f"Lightning Pose model '{folder}': which export? Name one as the snapshot: {names}")
    return chosen[0]


def _network(file: Path, config: Config) -> bytes:
    """The export in single precision, its maps named heatmap."""
    graph = onnx_graph.to_float32(onnx_graph.read_onnx(file))
    shape = onnx_graph.input_shape(graph)
    width, height = config.size
    context = (FRAMES,) if config.model_type == CONTEXT else ()
    if shape[1:] != (*context, 3, height, width):
        wanted = ", ".join(map(str, ("batch", *context, 3, height, width)))
        raise ModelError(f"'{file}' takes {shape}, {CONFIG} says ({wanted}); they do not belong together")
    if context:
        return single_frame_network(graph, config.size, str(file))
    image, maps = graph.graph.input[0].name, graph.graph.output[0].name
    return onnx_graph.to_bytes(onnx_graph.cut(graph, {image: ("batch", 3, height, width)}, {maps: "heatmap"}))


def _description(config: Config, options: Options, folder: Path, file: Path) -> dict[str, Any]:
    return {
        "name": options.name or folder.resolve().name,
        "bodyparts": list(config.keypoint_names),
        "skeleton": [],
        "individuals": [],
        "colour": "rgb",
        "normalisation": {
            "scale": [1 / (255 * deviation) for deviation in DEVIATION],
            "offset": [-mean / deviation for mean, deviation in zip(MEAN, DEVIATION, strict=True)],
        },
        "padding": {"multiple": 1},
        "input_size": list(config.size),
        "resized_origin": "corner",
        "stride": float(2**config.downsample_factor),
        "locref_stdev": 0.0,
        "decoder": "soft_heatmap",
        "activation": "none",
        "outputs": ["heatmap"],
        "soft": {
            "method": "softmax",
            "upsampling": config.downsample_factor,
            "temperature": TEMPERATURE,
            "radius": RADIUS_PX,
            "shift": SHIFT_PX[config.downsample_factor],
        },
        "training_size": list(config.size),
        "source": {"tool": "Lightning Pose", "model_type": config.model_type, "file": file.name},
    }


def _reference(network: bytes, config: Config, description: dict[str, Any], options: Options) -> Reference:
    frames = _sized(reference_frames(options.frames, size=config.size), config.size)
    scale, offset = (np.asarray(description["normalisation"][key], np.float32) for key in ("scale", "offset"))
    tensors = (frames * scale + offset).astype(np.float32).transpose(0, 3, 1, 2)
    soft = {key: value for key, value in description["soft"].items() if key != "method"}
    poses = [
        softmax_mean(run_network(network, tensor[None])["heatmap"][0], description["stride"], **soft)
        for tensor in tensors
    ]
    if len(poses[0]) != len(config.keypoint_names):
        raise ModelError(
            f"Lightning Pose: the export gives {len(poses[0])} maps, {CONFIG} names "
            f"{len(config.keypoint_names)} keypoints; they do not belong together"
        )
    return Reference(
        frames,
        np.stack(poses)[:, None].astype(np.float32),
        made_by="OpenVINO fp32 and Lightning Pose's soft argmax in NumPy",
    )


def _sized(frames: np.ndarray[Any, np.dtype[np.uint8]], size: tuple[int, int]) -> Any:
    """Frames resized to the network's input, so that the reference does not depend on a resize."""
    from PIL import Image

    if frames.shape[2::-1][:2] == size:
        return frames
    resized = [Image.fromarray(frame).resize(size, Image.Resampling.BILINEAR) for frame in frames]
    return np.stack([np.asarray(frame) for frame in resized])
