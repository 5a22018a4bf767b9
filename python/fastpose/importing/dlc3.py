"""From a config and weights of DeepLabCut 3 to what a model package needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fastpose.errors import ModelError
from fastpose.importing.dlc3_config import METHODS, Dlc3Config, normalisation, read_config
from fastpose.importing.dlc3_top_down import FILE, TopDown, read_top_down
from fastpose.importing.extra import require
from fastpose.importing.frames import reference_frames
from fastpose.importing.imported import Content, Imported, Options, Reference

if TYPE_CHECKING:
    from fastpose.importing.networks.pose_network import PoseNetwork

__all__ = ["Trained", "import_trained"]

NETWORK = "model.onnx"


@dataclass(frozen=True)
class Trained:
    """A config, its weights and where both came from."""

    config: Any
    pose: Mapping[str, Any]
    """State dict of the pose network."""
    where: str
    """For errors: the file."""
    name: str
    """What the package is called unless the user says otherwise."""
    source: dict[str, Any]
    """Provenance, for model.yaml."""
    detector: Mapping[str, Any] | None = None
    """State dict of the detector, for method td."""
    antialias: bool = True
    """How the tool that runs such files shrinks the crop of an animal: see `read_top_down`."""
    skeleton: tuple[tuple[str, str], ...] = ()
    frames: Path | None = None
    """Images of the project, for the reference."""


def import_trained(trained: Trained, options: Options) -> Imported:
    """Build the network, load its weights, export it, and compute the reference.

    Raises
    ------
    ModelError
        The network is not supported, or its weights do not fit its config.
    """
    require("torch"), require("onnx")
    config = read_config(trained.config, trained.where)
    network, top_down = _network(config, trained), None
    if config.method == "td":
        top_down = read_top_down(config, trained.detector, trained.where, antialias=trained.antialias)
    description = _description(config, network, trained, options)
    files: dict[str, Content] = {NETWORK: network.export}
    if top_down is not None:
        description["detector"], files[FILE] = top_down.fields, top_down.export
    return Imported(
        description=description,
        files=files,
        reference=_reference(network, top_down, description, options.frames or trained.frames),
        found=_found(config, network, top_down, description, trained),
        notes=_notes(config, description, options.frames or trained.frames),
    )


def _network(config: Dlc3Config, trained: Trained) -> PoseNetwork:
    from fastpose.importing.networks.pose_network import build_pose_network

    if config.method not in ("bu", "td"):
        raise ModelError(
            f"{trained.where}: method {config.method} ({METHODS[config.method]}) of net_type "
            f"{config.net_type!r} cannot be imported; allowed: bu (bottom-up), td (top-down)"
        )
    return build_pose_network(config, trained.pose, trained.where)


def _description(
    config: Dlc3Config, network: PoseNetwork, trained: Trained, options: Options
) -> dict[str, Any]:
    scale, offset = normalisation(config.inference, config.colormode)
    bodyparts = (*config.bodyparts, *config.unique_bodyparts)
    return {
        "name": options.name or trained.name,
        "bodyparts": list(bodyparts),
        "skeleton": [list(edge) for edge in trained.skeleton if set(edge) <= set(bodyparts)],
        "individuals": network.individuals(config),
        "colour": "rgb",
        "normalisation": {"scale": list(scale), "offset": list(offset)},
        "padding": dict(config.padding),
        **network.fields,
        "source": _source(config, network, trained),
    }


def _source(config: Dlc3Config, network: PoseNetwork, trained: Trained) -> dict[str, Any]:
    unique = {"unique_bodyparts": list(config.unique_bodyparts)} if config.unique_bodyparts else {}
    return {
        "tool": "DeepLabCut 3",
        **trained.source,
        "net_type": config.net_type,
        "architecture": network.architecture,
        "method": config.method,
        "colormode": config.colormode,
        **unique,
    }


def _reference(
    network: PoseNetwork, top_down: TopDown | None, description: Mapping[str, Any], source: Path | None
) -> Reference:
    torch = require("torch")
    frames = reference_frames(source)
    poses, ties = [], []
    for frame in frames:
        if top_down is not None:
            pose, tie = top_down.poses(frame, network, description)
        else:
            tensor = _tensor(frame, description["normalisation"], description["padding"]["multiple"])
            pose, tie = (found[0] for found in network.decode(network.maps(tensor)))
        poses.append(pose)
        ties.append(tie)
    version = torch.__version__.partition("+")[0]
    return Reference(frames, np.stack(poses), f"torch {version}, fp32", np.stack(ties))


def _tensor(
    frame: npt.NDArray[np.uint8], constants: Mapping[str, Any], multiple: int
) -> npt.NDArray[np.float32]:
    """Pad a frame (H, W, 3) at its right and bottom by mirroring, then normalise it: (1, 3, H', W')."""
    beyond = [(0, -side % multiple) for side in frame.shape[:2]]
    padded = np.pad(frame, (*beyond, (0, 0)), mode="reflect").astype(np.float32)
    scale, offset = (np.array(constants[key], np.float32) for key in ("scale", "offset"))
    return np.ascontiguousarray((padded * scale + offset).transpose(2, 0, 1)[None])


def _found(
    config: Dlc3Config,
    network: PoseNetwork,
    top_down: TopDown | None,
    description: Mapping[str, Any],
    trained: Trained,
) -> tuple[tuple[str, str], ...]:
    lines = [
        ("network", f"{config.net_type}, {METHODS[config.method]}: {network.architecture}"),
        ("weights", f"{trained.where}{_snapshot(trained.source)}"),
        ("body parts", f"{len(config.bodyparts)}: {', '.join(config.bodyparts)}"),
    ]
    if top_down is not None:
        width, height = top_down.fields["crop_size"]
        lines.append(("detector", f"{top_down.architecture}, crops of {width}x{height} px"))
    if config.unique_bodyparts:
        lines.append(("unique body parts", ", ".join(config.unique_bodyparts)))
    individuals = description["individuals"]
    lines += [
        ("individuals", ", ".join(individuals) if individuals else "one"),
        ("input", _input(config, description["padding"]["multiple"])),
        ("output", _output(description)),
    ]
    return tuple(lines)


def _snapshot(source: Mapping[str, Any]) -> str:
    return f", {source['epochs']} epochs" if source.get("epochs") is not None else ""


def _input(config: Dlc3Config, multiple: int) -> str:
    if config.inference.get("normalize_images"):
        scaling = "mean and deviation of ImageNet"
    else:
        scaling = "0-1" if config.inference.get("scale_to_unit_range") else "0-255, as it is"
    return f"{config.colormode}, {scaling}{f', mirrored to multiples of {multiple} px' * (multiple > 1)}"


def _output(description: Mapping[str, Any]) -> str:
    refined = f", locref x {description['locref_stdev']} px" if description["locref_stdev"] else ""
    return (
        f"{description['decoder']}, stride {description['stride']:g} px{refined}, "
        f"scores: {description['activation']}"
    )


def _notes(config: Dlc3Config, description: Mapping[str, Any], frames: Path | None) -> tuple[str, ...]:
    notes = []
    if frames is None:
        notes.append("reference frames are made from a seed; give real ones with --frames VIDEO|FOLDER")
    if "unique" in description:
        notes.append(
            f"unique body parts are those of individual {description['individuals'][-1]}, as in DeepLabCut"
        )
    elif config.unique_bodyparts:
        notes.append("unique body parts stand behind the others, as body parts of the one animal")
    return tuple(notes)
