"""Reads models that DeepLabCut 2 exported: ``pose_cfg.yaml`` and a frozen TensorFlow graph (``.pb``)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import yaml

from fastpose.errors import ModelError
from fastpose.importing.frames import reference_frames
from fastpose.importing.imported import Imported, Options, Reference
from fastpose.importing.reference import decode_heatmap
from fastpose.importing.run_network import run_network
from fastpose.importing.tf_graph import Operation, operations

__all__ = ["CONFIG", "read"]

CONFIG = "pose_cfg.yaml"
NETWORK, WEIGHTS = "model.xml", "model.bin"


@dataclass(frozen=True)
class Config:
    """The part of ``pose_cfg.yaml`` that says what the numbers mean."""

    bodyparts: tuple[str, ...]
    stride: float
    location_refinement: bool
    locref_stdev: float
    net_type: str


def read(source: Path, options: Options) -> Imported:
    """Read a DeepLabCut 2 export as OpenVINO IR; TensorFlow is not needed.

    The graph is cut at the score map (before its sigmoid) and locref, also where it goes on to keypoints
    ("TFGPUinference"): the decoder gives the same ones from the maps. It subtracts the mean pixel itself.

    Parameters
    ----------
    source : Path
        The exported folder, or its ``.pb``.
    options : Options
        `snapshot` names the ``.pb`` where there are several.

    Raises
    ------
    ModelError
        Files are missing or damaged, or the model is of a kind that is not supported.
    """
    folder = source if source.is_dir() else source.parent
    config = _config(folder)
    graph = _graph(folder, options.snapshot) if source.is_dir() else source
    tensors = _tensors(operations(graph), config, graph)
    model = _openvino_model(graph, tensors, config)
    description = _description(config, options, folder, graph)
    reference = _reference(model, config, description, options)
    return Imported(
        description=description,
        files=_ir_files(model),
        reference=reference,
        found=(
            ("export", graph.name),
            ("architecture", f"{config.net_type}, stride {config.stride:g}"),
            ("body parts", ", ".join(config.bodyparts)),
        ),
    )


def _config(folder: Path) -> Config:
    try:
        content = yaml.safe_load((folder / CONFIG).read_text(encoding="utf-8"))
        _refuse_several_animals(content)
        names = tuple(map(str, content["all_joints_names"]))
        config = Config(
            bodyparts=names,
            stride=float(content.get("stride", 8)),
            location_refinement=bool(content.get("location_refinement", False)),
            locref_stdev=float(content.get("locref_stdev", 7.2801)),
            net_type=str(content.get("net_type", "")),
        )
        count = int(content.get("num_joints", len(names)))
    except OSError as error:
        raise ModelError(
            f"DeepLabCut 2 export '{folder}': {CONFIG} cannot be read ({error.strerror})"
        ) from None
    except (ValueError, KeyError, TypeError, AttributeError, yaml.YAMLError) as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise ModelError(f"DeepLabCut 2 export '{folder}': {CONFIG} is damaged ({reason})") from None
    if not names or count != len(names):
        raise ModelError(f"DeepLabCut 2 export: {CONFIG} names {len(names)} joints, num_joints is {count}")
    return config


def _refuse_several_animals(content: dict[str, Any]) -> None:
    several = content.get("partaffinityfield_predict") or "multi-animal" in str(content.get("dataset_type"))
    if several or int(content.get("num_outputs", 1) or 1) != 1:
        raise ModelError(
            "DeepLabCut 2 export: a network for several animals (or several outputs a body part) is not "
            "supported; allowed: single-animal ResNet, MobileNet and EfficientNet exports. Convert the "
            "project to DeepLabCut 3 and import that"
        )


def _graph(folder: Path, name: str | None) -> Path:
    files = sorted(folder.glob("*.pb"))
    chosen = [file for file in files if name in (None, file.stem, file.name)]
    if len(chosen) != 1:
        names = ", ".join(file.stem for file in files) or "none"
        raise ModelError(
            f"DeepLabCut 2 export '{folder}' holds {len(chosen)} frozen graphs that fit; there are: {names}; "
            "name one as the snapshot"
        )
    return chosen[0]


def _tensors(graph: list[Operation], config: Config, path: Path) -> dict[str, str]:
    """Operations that make the maps, by the name of the package's output."""
    if graph[0].kind != "Placeholder":
        raise ModelError(
            f"'{path}': its first operation is {graph[0].kind!r}; allowed: Placeholder, as exported"
        )
    found = {"heatmap": _last(graph, lambda name: "part_pred" in name and "/block4/" in name)}
    if config.location_refinement:
        found["locref"] = _last(graph, lambda name: "locref_pred" in name)
    missing = [name for name, operation in found.items() if operation is None]
    if missing:
        raise ModelError(
            f"'{path}' has no operation that gives the {missing[0]} (pose/part_pred/block4/BiasAdd, "
            "pose/locref_pred/block4/BiasAdd); allowed: graphs that DeepLabCut 2's export_model wrote"
        )
    return {name: operation for name, operation in found.items() if operation is not None}


def _last(graph: list[Operation], wanted: Callable[[str], bool]) -> str | None:
    """The last operation with such a name that adds a bias: a head's end."""
    names = [operation.name for operation in graph if operation.kind == "BiasAdd" and wanted(operation.name)]
    return names[-1] if names else None


def _openvino_model(path: Path, tensors: dict[str, str], config: Config) -> Any:
    """Float pixels (1, 3, H, W) rgb 0..255 in, maps (1, C, h, w) out."""
    from openvino.frontend import FrontEndManager

    try:
        frontend = FrontEndManager().load_by_framework("tf")
        loaded = frontend.load(str(path))
        places = [loaded.get_place_by_tensor_name(f"{operation}:0") for operation in tensors.values()]
        loaded.override_all_outputs(outputs=places)
        model = _channels_first(frontend.convert(loaded), list(tensors))
    except Exception as error:  # OpenVINO raises RuntimeError and errors of its frontends
        raise ModelError(f"OpenVINO cannot read '{path}' ({' '.join(str(error).split())[:300]})") from None
    parts = len(config.bodyparts)
    for output, channels in zip(model.outputs, (parts, 2 * parts), strict=False):
        found = output.get_partial_shape()[1]
        if found.is_static and found.get_length() != channels:
            raise ModelError(
                f"'{path}': {output.get_any_name()} has {found.get_length()} channels, {parts} joints need "
                f"{channels}; {CONFIG} and the graph do not belong together"
            )
    return model


def _channels_first(model: Any, names: list[str]) -> Any:
    """The same network with (N, C, H, W) in and out, and outputs of these names."""
    import openvino
    from openvino.preprocess import PrePostProcessor

    if model.inputs[0].get_partial_shape().rank.is_dynamic or len(model.inputs) != 1:
        raise ModelError("the graph's input has no fixed rank; allowed: one input (batch, H, W, 3)")
    prepared = PrePostProcessor(model)
    prepared.input().tensor().set_layout(openvino.Layout("NCHW")).set_element_type(openvino.Type.f32)
    prepared.input().model().set_layout(openvino.Layout("NHWC"))
    for index in range(len(names)):
        prepared.output(index).model().set_layout(openvino.Layout("NHWC"))
        prepared.output(index).tensor().set_layout(openvino.Layout("NCHW"))
    built = prepared.build()
    for output, name in zip(built.outputs, names, strict=True):
        output.get_tensor().set_names({name})
    built.reshape([1, 3, -1, -1])
    return built


def _ir_files(model: Any) -> dict[str, bytes]:
    """The network as OpenVINO IR in single precision."""
    import openvino

    with TemporaryDirectory() as folder:
        openvino.save_model(model, str(Path(folder) / NETWORK), compress_to_fp16=False)
        return {name: (Path(folder) / name).read_bytes() for name in (NETWORK, WEIGHTS)}


def _description(config: Config, options: Options, folder: Path, graph: Path) -> dict[str, Any]:
    return {
        "name": options.name or folder.resolve().name,
        "bodyparts": list(config.bodyparts),
        "skeleton": [],
        "individuals": [],
        "colour": "rgb",
        "normalisation": {"scale": [1.0] * 3, "offset": [0.0] * 3},
        "padding": {"multiple": 1},
        "resized_origin": "corner",
        "stride": config.stride,
        "locref_stdev": config.locref_stdev if config.location_refinement else 0.0,
        "decoder": "heatmap",
        "activation": "sigmoid",
        "outputs": ["heatmap", "locref"] if config.location_refinement else ["heatmap"],
        "network_file": NETWORK,
        "source": {"tool": "DeepLabCut 2", "net_type": config.net_type, "file": graph.name},
    }


def _reference(model: Any, config: Config, description: dict[str, Any], options: Options) -> Reference:
    frames = reference_frames(options.frames)
    maps = [run_network(model, frame.transpose(2, 0, 1)[None].astype(np.float32)) for frame in frames]
    joined = {name: np.concatenate([each[name] for each in maps]) for name in description["outputs"]}
    poses, ties = decode_heatmap(
        joined["heatmap"],
        joined.get("locref"),
        stride=config.stride,
        locref_stdev=config.locref_stdev,
        activation="sigmoid",
    )
    return Reference(frames, poses, made_by="OpenVINO fp32 and DeepLabCut's decode in NumPy", ties=ties)
