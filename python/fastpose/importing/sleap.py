"""Reads what sleap-nn's exporter writes: ``model.onnx``, ``export_metadata.json`` and training configs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fastpose.errors import ModelError
from fastpose.importing import onnx_graph, sleap_graph
from fastpose.importing.frames import reference_frames
from fastpose.importing.imported import Imported, Options, Reference
from fastpose.importing.run_network import Network
from fastpose.importing.sleap_decode import crop_around, grow_animals, local_peaks, tree_order
from fastpose.importing.sleap_metadata import METADATA, Metadata, Training, read_metadata, read_training
from fastpose.importing.soft_decode import window_mean

__all__ = ["METADATA", "read"]

SMALLEST_SIDE_PX = 96
WINDOW = 5  # cells, sleap-nn's default for its integral refinement
ANIMALS = 10  # of a bottom-up model that does not say how many there may be
PEAKS = 64  # of a body part; sleap-nn's inference takes any number, its export 20
MIN_AFFINITY, POINTS_PER_LIMB, LENGTH_RATIO, LENGTH_PENALTY = 0.25, 10, 0.25, 1.0  # its grouping's defaults

Frame = npt.NDArray[np.uint8]
Poses = npt.NDArray[np.float32]


@dataclass(frozen=True)
class _Export:
    """What lies in the folder of an export."""

    folder: Path
    metadata: Metadata
    graph: Any
    options: Options

    def training(self, head: str = "") -> Training:
        """The config of one of its networks."""
        return read_training(self.folder, head)


@dataclass(frozen=True)
class _Kind:
    """What a model type makes of an export: fields of model.yaml, files, and poses of one frame."""

    fields: dict[str, Any]
    files: dict[str, bytes]
    multiple: int
    poses_of: Any
    notes: tuple[str, ...] = ()


def read(source: Path, options: Options) -> Imported:
    """Read an export of sleap-nn: single instance, top-down (centroid and centred instance) or bottom-up.

    The exported graphs end in peaks on the grid of the maps; they are cut before them, so that the place
    within a cell is found as sleap-nn's own inference finds it (integral refinement, 5 x 5 cells), and, for
    top-down, so that crops are made of the frame's own pixels, as there.

    Parameters
    ----------
    source : Path
        The folder of the export, or its ``model.onnx``.
    options : Options

    Raises
    ------
    ModelError
        Files are missing or damaged, or the model is of a type that is not supported.
    """
    folder = source if source.is_dir() else source.parent
    metadata = read_metadata(folder)
    graph = onnx_graph.read_onnx(folder / "model.onnx")
    sleap_graph.check_input(graph, metadata)
    export = _Export(folder, metadata, graph, options)
    kind = _KINDS[metadata.model_type](export)
    frames = _frames(options, metadata, kind.multiple)
    poses = np.stack([kind.poses_of(frame) for frame in frames]).astype(np.float32)
    return Imported(
        description=_common(metadata, options) | kind.fields,
        files=dict(kind.files),
        reference=Reference(frames, poses, made_by="OpenVINO fp32 and sleap-nn's decoder in NumPy"),
        found=_found(metadata, kind),
        notes=kind.notes + _size_note(kind.fields["training_size"]),
    )


def _single(export: _Export) -> _Kind:
    metadata, training = export.metadata, export.training()
    multiple = training.multiple(metadata.input_scale)
    network = sleap_graph.single(export.graph, metadata)
    fields = {
        "padding": {"multiple": multiple, "mode": "zero"},
        "stride": metadata.output_stride / metadata.input_scale,
        "resized_origin": "corner",
        "training_size": training.size,
        **_soft(metadata),
    }
    runner = Network(network)

    def poses_of(frame: Frame) -> Poses:
        return _keypoints(runner.run(_tensor(frame))["heatmap"][0], fields["stride"], metadata)[None]

    return _Kind(fields, {"model.onnx": network}, multiple, poses_of)


def _top_down(export: _Export) -> _Kind:
    metadata, crop = export.metadata, export.metadata.crop_size
    assert crop is not None
    whole, near = export.training("centroid"), export.training("centered_instance")
    multiple, count = whole.multiple(metadata.input_scale), _individuals(export, 1)
    files = {
        "model.onnx": sleap_graph.crops(export.graph, metadata, near.scale),
        "detector.onnx": sleap_graph.centroids(export.graph, metadata),
    }
    stride = metadata.output_stride / near.scale
    cell_px = whole.output_strides.get("confmaps", 2) / metadata.input_scale
    detector = {
        "file": "detector.onnx",
        "kind": "centroids",
        "outputs": ["heatmap"],
        "normalisation": _normalisation(metadata),
        "padding": {"multiple": multiple, "mode": "zero"},
        "stride": cell_px,
        "min_score": metadata.peak_threshold,
        "crop_size": [crop[1], crop[0]],
        "crop": "centred",
    }
    fields = {
        "individuals": _names(count),
        "skeleton": [list(edge) for edge in near.edges],
        "padding": {"multiple": 1},
        "stride": stride,
        "training_size": whole.size,
        "detector": detector,
        **_soft(metadata),
    }
    finder, network = Network(files["detector.onnx"]), Network(files["model.onnx"])

    def poses_of(frame: Frame) -> Poses:
        found = finder.run(_tensor(frame))["heatmap"][0, 0]
        centres = local_peaks(found, cell_px, window=WINDOW, min_score=metadata.peak_threshold)
        poses = np.full((count, len(metadata.node_names), 3), np.nan, np.float32)
        for slot, index in enumerate(np.argsort(-centres[:, 2], kind="stable")[:count]):
            pixels, corner = crop_around(frame, centres[index, :2], crop)
            maps = network.run(_tensor(pixels))["heatmap"][0]
            poses[slot] = _keypoints(maps, stride, metadata)
            poses[slot, :, :2] += corner
        return poses

    return _Kind(fields, files, multiple, poses_of, _crops_note(count))


def _bottom_up(export: _Export) -> _Kind:
    metadata, training = export.metadata, export.training()
    multiple, count = training.multiple(metadata.input_scale), _individuals(export, ANIMALS)
    network = sleap_graph.bottom_up(export.graph, metadata)
    fields = {
        "individuals": _names(count),
        "padding": {"multiple": multiple, "mode": "zero"},
        "stride": metadata.output_stride / metadata.input_scale,
        "resized_origin": "corner",
        "training_size": training.size,
        "decoder": "paf_tree",
        "outputs": ["heatmap", "limbs"],
        "paf_tree": _tree(metadata, training),
    }
    runner = Network(network)

    def poses_of(frame: Frame) -> Poses:
        maps = runner.run(_tensor(frame))
        _check_parts(len(maps["heatmap"][0]), metadata)
        return grow_animals(maps["heatmap"][0], maps["limbs"][0], fields, individuals=count)

    return _Kind(fields, {"model.onnx": network}, multiple, poses_of, _animals_note(export, count))


_KINDS = {"single_instance": _single, "topdown": _top_down, "bottomup": _bottom_up}


def _tree(metadata: Metadata, training: Training) -> dict[str, Any]:
    order = tree_order(metadata.edge_inds)
    if order is None:
        raise ModelError(
            f"sleap-nn export: edges {metadata.edge_inds} lead in a circle; allowed: a skeleton with a root"
        )
    stride = training.output_strides.get("pafs")
    if not stride:
        raise ModelError(
            "sleap-nn export: training_config.yaml does not say output_stride of pafs; export again"
        )
    return {
        "limbs": [list(edge) for edge in metadata.edge_inds],
        "order": order,
        "limb_stride": stride / metadata.input_scale,
        "window": WINDOW,
        "min_score": metadata.peak_threshold,
        "most_peaks": max(PEAKS, metadata.max_peaks_per_node),
        "min_affinity": MIN_AFFINITY,
        "points_per_limb": POINTS_PER_LIMB,
        "length_ratio": LENGTH_RATIO,
        "length_penalty": LENGTH_PENALTY,
    }


def _common(metadata: Metadata, options: Options) -> dict[str, Any]:
    names = metadata.node_names
    return {
        "name": options.name or metadata.model_name.replace("+", "_") or "sleap",
        "bodyparts": list(names),
        "skeleton": [[names[a], names[b]] for a, b in metadata.edge_inds],
        "individuals": [],
        "colour": "grey" if metadata.input_channels == 1 else "rgb",
        "normalisation": _normalisation(metadata),
        "locref_stdev": 0.0,
        "activation": "none",
        "source": {
            "tool": f"sleap-nn {metadata.version}".strip(),
            "model_type": metadata.model_type,
            "file": metadata.model_name,
        },
    }


def _normalisation(metadata: Metadata) -> dict[str, list[float]]:
    """None: the networks divide by 255 themselves."""
    return {"scale": [1.0] * metadata.input_channels, "offset": [0.0] * metadata.input_channels}


def _soft(metadata: Metadata) -> dict[str, Any]:
    soft = {"method": "window", "size": WINDOW, "min_score": metadata.peak_threshold}
    return {"decoder": "soft_heatmap", "outputs": ["heatmap"], "soft": soft}


def _individuals(export: _Export, default: int) -> int:
    return export.options.individuals or export.metadata.max_instances or default


def _names(count: int) -> list[str]:
    return [f"animal{number}" for number in range(1, count + 1)]


def _crops_note(count: int) -> tuple[str, ...]:
    if count <= 4:
        return ()
    return (f"every frame takes {count} crops, one for each animal; fewer with --individuals are faster",)


def _animals_note(export: _Export, count: int) -> tuple[str, ...]:
    if export.options.individuals or export.metadata.max_instances:
        return ()
    return (f"the export does not say how many animals there are: at most {count}, or say --individuals",)


def _size_note(size: tuple[int, int] | None) -> tuple[str, ...]:
    if size is None:
        return ()
    return (
        f"trained on frames of at most {size[0]} x {size[1]} px: sleap-nn resizes frames of other sizes to "
        "these, fastpose takes them as they are",
    )


def _frames(options: Options, metadata: Metadata, multiple: int) -> Frame:
    """Frames whose sides the network takes as they are: cropped at the right and bottom."""
    side = -(-SMALLEST_SIDE_PX * 2 // multiple) * multiple
    colour = "grey" if metadata.input_channels == 1 else "rgb"
    frames = reference_frames(options.frames, size=(side, side), colour=colour)
    height, width = (size // multiple * multiple for size in frames.shape[1:3])
    if not height or not width:
        raise ModelError(f"frames are {frames.shape[2]} x {frames.shape[1]} px; allowed: {multiple} or more")
    return np.ascontiguousarray(frames[:, :height, :width])


def _tensor(frame: Frame) -> npt.NDArray[np.float32]:
    """(1, C, H, W), 0..255."""
    planes = frame[None] if frame.ndim == 2 else frame.transpose(2, 0, 1)
    return planes[None].astype(np.float32)


def _keypoints(maps: npt.NDArray[np.float32], stride: float, metadata: Metadata) -> Poses:
    _check_parts(len(maps), metadata)
    return window_mean(maps, stride, WINDOW, metadata.peak_threshold).astype(np.float32)


def _check_parts(maps: int, metadata: Metadata) -> None:
    if maps != len(metadata.node_names):
        raise ModelError(
            f"sleap-nn export: model.onnx gives {maps} maps, {METADATA} names {len(metadata.node_names)} "
            "nodes; they do not belong together"
        )


def _found(metadata: Metadata, kind: _Kind) -> tuple[tuple[str, str], ...]:
    crop = metadata.crop_size if metadata.model_type == "topdown" else None
    animals = len(kind.fields.get("individuals", ()))
    optional = (
        ("crops", f"{crop[1]} x {crop[0]} px" if crop else ""),
        ("animals", f"at most {animals}" if animals else ""),
    )
    return (
        ("model", f"sleap-nn {metadata.version}, {metadata.model_type}"),
        ("architecture", f"stride {metadata.output_stride}, input scale {metadata.input_scale:g}"),
        *(pair for pair in optional if pair[1]),
        ("body parts", ", ".join(metadata.node_names)),
    )
