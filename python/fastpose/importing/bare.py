"""Reads an ONNX file beside a hand-written ``model.yaml``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import yaml
from pydantic import ValidationError

from fastpose.config.problems import problems_of
from fastpose.errors import ModelError
from fastpose.importing import onnx_graph
from fastpose.importing.frames import reference_frames
from fastpose.importing.imported import Imported, Options, Reference
from fastpose.importing.reference import decode_heatmap
from fastpose.importing.run_network import run_network
from fastpose.importing.soft_decode import softmax_mean, window_mean
from fastpose.model_package import DESCRIPTION, ModelPackage

__all__ = ["read"]

Maps = dict[str, npt.NDArray[np.float32]]

SUPPORTED = ("heatmap", "soft_heatmap", "points")
SIDE_PX = 192
FILLED_IN = {"skeleton": [], "padding": {"multiple": 1}, "locref_stdev": 0.0, "source": {"tool": "bare ONNX"}}


def read(source: Path, options: Options) -> Imported:
    """Read a network whose numbers the user describes.

    Parameters
    ----------
    source : Path
        A folder with one ``.onnx`` and ``model.yaml``, or such an ``.onnx``. ``model.yaml`` says what
        `fastpose.model_package.ModelPackage` asks for, without sha256; name, skeleton, padding and
        locref_stdev have defaults.
    options : Options

    Raises
    ------
    ModelError
        Files are missing or damaged, or the network is not what ``model.yaml`` says.
    """
    file = _network_file(source)
    package = _package(file, options)
    network, shape = _network(file, package)
    reference = _reference(network, package, shape, options)
    description = package.model_dump(mode="json", exclude={"folder", "sha256"}, exclude_defaults=True)
    return Imported(
        description=description,
        files={"model.onnx": network},
        reference=reference,
        found=(
            ("files", f"{file.name}, {DESCRIPTION}"),
            ("decoder", package.decoder),
            ("body parts", ", ".join(package.bodyparts)),
        ),
        notes=("the reference is this network itself: nothing says what another tool would give",),
    )


def _network_file(source: Path) -> Path:
    files = sorted(source.glob("*.onnx")) if source.is_dir() else [source]
    if len(files) != 1:
        names = ", ".join(file.name for file in files) or "none"
        raise ModelError(
            f"'{source}' holds {len(files)} ONNX files ({names}); allowed: one, or name the file"
        )
    return files[0]


def _package(file: Path, options: Options) -> ModelPackage:
    """What model.yaml says, checked."""
    path = file.parent / DESCRIPTION
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        reason = error.strerror if isinstance(error, OSError) else " ".join(str(error).split())
        raise ModelError(
            f"'{path}' cannot be read ({reason}); a bare ONNX needs it to say what it is"
        ) from None
    if not isinstance(content, dict):
        raise ModelError(f"'{path}' is no description of a network")
    data = {"name": file.stem, **FILLED_IN, **content, "sha256": {}, "folder": file.parent}
    data = {**data, "network_file": "model.onnx", "name": options.name or data["name"]}
    try:
        package = ModelPackage.model_validate(data)
    except ValidationError as error:
        problems = problems_of(error, data, ModelPackage.model_json_schema())
        raise ModelError(*(f"'{path}': {problem}" for problem in problems)) from None
    _check_supported(package)
    return package


def _check_supported(package: ModelPackage) -> None:
    if package.decoder not in SUPPORTED or package.detector is not None or package.individuals:
        what = "a detector or several individuals" if package.decoder in SUPPORTED else package.decoder
        raise ModelError(
            f"a bare ONNX with {what} is not supported; allowed: one animal, decoder {', '.join(SUPPORTED)}"
        )


def _network(file: Path, package: ModelPackage) -> tuple[bytes, onnx_graph.Shape]:
    """The file in single precision with everything inside, and its input's shape."""
    graph = onnx_graph.to_float32(onnx_graph.read_onnx(file))
    shape = onnx_graph.input_shape(graph)
    if len(shape) != 4:
        raise ModelError(f"'{file}' takes {len(shape)} dimensions {shape}; allowed: (1, C, H, W)")
    if shape[1] not in (None, package.channels):
        raise ModelError(
            f"'{file}' takes {shape[1]} channels, colour {package.colour} in {DESCRIPTION} has "
            f"{package.channels}; allowed: 1 for grey, 3 for rgb"
        )
    outputs = onnx_graph.output_shapes(graph)
    missing = [name for name in package.outputs if name not in outputs]
    if missing:
        raise ModelError(f"'{file}' has no output {missing[0]!r}; it has: {', '.join(outputs)}")
    return onnx_graph.to_bytes(graph), shape


def _reference(network: bytes, package: ModelPackage, shape: onnx_graph.Shape, options: Options) -> Reference:
    frames = _frames(package, shape, options)
    scale, offset = (
        np.asarray(values, np.float32).reshape(-1, 1, 1)
        for values in (package.normalisation.scale, package.normalisation.offset)
    )
    tensors = frames[:, None] if frames.ndim == 3 else frames.transpose(0, 3, 1, 2)
    poses = []
    for tensor in tensors:
        maps = run_network(network, (tensor * scale + offset).astype(np.float32)[None])
        _check_shapes(maps, package)
        poses.append(_decode(maps, package))
    return Reference(
        frames, np.stack(poses)[:, None].astype(np.float32), made_by="OpenVINO fp32, decode in NumPy"
    )


def _frames(package: ModelPackage, shape: onnx_graph.Shape, options: Options) -> npt.NDArray[np.uint8]:
    """Frames of a size that the network takes."""
    multiple = package.padding.multiple
    side = -(-SIDE_PX // multiple) * multiple
    size = package.input_size or (shape[3] or side, shape[2] or side)
    frames = reference_frames(options.frames, size=size, colour=package.colour)
    height, width = (length // multiple * multiple for length in frames.shape[1:3])
    needed = (package.input_size or (shape[3] or width, shape[2] or height))[::-1]
    if needed != (height, width):
        raise ModelError(
            f"frames are {frames.shape[2]} x {frames.shape[1]} px, the network takes {needed[1]} x "
            f"{needed[0]}; give frames of that size"
        )
    return np.ascontiguousarray(frames[:, :height, :width])


def _check_shapes(maps: Maps, package: ModelPackage) -> None:
    parts = len(package.bodyparts)
    if package.decoder == "points":
        found, expected = maps[package.outputs[0]].shape, (parts, 3)
        if found[-2:] != expected or maps[package.outputs[0]].size != 3 * parts:
            raise ModelError(
                f"output {package.outputs[0]} is {found}; allowed: (1, {parts}, 3) or ({parts}, 3)"
            )
        return
    for name, channels in zip(package.outputs, (parts, 2 * parts), strict=False):
        shape = maps[name].shape
        if len(shape) != 4 or shape[1] != channels:
            raise ModelError(
                f"output {name} is {shape}; {parts} bodyparts in {DESCRIPTION} need (1, {channels}, h, w)"
            )


def _decode(maps: Maps, package: ModelPackage) -> npt.NDArray[np.floating[Any]]:
    """Keypoints (K, 3) of one frame."""
    first = maps[package.outputs[0]]
    if package.decoder == "points":
        return first.reshape(-1, 3)
    if package.decoder == "soft_heatmap":
        soft = {key: value for key, value in package.soft.items() if key != "method"}
        decode = softmax_mean if package.soft.get("method") == "softmax" else window_mean
        return decode(first[0], package.stride, **soft)
    poses, _ = decode_heatmap(
        first,
        maps[package.outputs[1]] if len(package.outputs) > 1 else None,
        stride=package.stride,
        locref_stdev=package.locref_stdev,
        activation=package.activation,
    )
    pose: npt.NDArray[np.floating[Any]] = poses[0, 0]
    return pose
