"""A form of a network on disk, and what it costs in pixels, measured with the engine itself."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import openvino

from fastpose.assembly.network import NetworkOptions
from fastpose.model import Model
from fastpose.model_package import ModelPackage
from fastpose.verify import compare

__all__ = ["Cost", "cost_of", "exchanged", "original", "poses_of", "save"]

Poses = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Cost:
    """Distance to the poses in float32, on keypoints over 0.1 likelihood.

    Attributes
    ----------
    mean_px, p95_px, max_px : float
    max_likelihood : float
        Largest difference.
    keypoints, missed, frames : int
        missed: found in one of both only.
    ties : int
        Keypoints over 0.1 likelihood that were left out: at bf16 those of Note [ties at a precision].
    """

    mean_px: float
    p95_px: float
    max_px: float
    max_likelihood: float
    keypoints: int
    missed: int
    frames: int
    ties: int = 0


def save(model: Any, path: Path) -> None:
    """Write a graph as OpenVINO IR (.xml, with .bin beside it), weights as they are."""
    openvino.save_model(model, str(path), compress_to_fp16=False)


def exchanged(package: ModelPackage, network: Path) -> ModelPackage:
    """A package whose network is another file.

    Parameters
    ----------
    package : ModelPackage
    network : Path
        ONNX or OpenVINO IR, in a folder without optimized.json: nothing but this file can run.
    """
    content = network.read_bytes() + _weights(network)
    exchange = {
        "folder": network.parent,
        "network_file": network.name,
        "sha256": {network.name: hashlib.sha256(content).hexdigest()},
    }
    return package.model_copy(update=exchange)


def poses_of(
    package: ModelPackage, frames: npt.NDArray[np.uint8], network: Path, precision: Literal["fp32", "bf16"]
) -> Poses:
    """Poses (n, individuals, K, 3) of a package whose network is exchanged.

    Parameters
    ----------
    package : ModelPackage
    frames : ndarray
        (n, H, W[, 3]) uint8.
    network : Path
        See `exchanged`.
    precision : {"fp32", "bf16"}
        Of what is not int8. A CPU without bf16 rounds instead: the same numbers, slowly.
    """
    options = NetworkOptions("cpu", precision, emulated=precision == "bf16")
    model = Model(exchanged(package, network), options)
    poses = [model.estimate(frame).keypoints for frame in frames]
    return np.stack(poses).reshape(len(poses), -1, *poses[0].shape[-2:])


def original(package: ModelPackage, folder: Path) -> Path:
    """Copy a package's own network into a folder."""
    for file in (package.network, package.network.with_suffix(".bin")):
        if file.is_file():
            shutil.copyfile(file, folder / file.name)
    return folder / package.network_file


def _weights(network: Path) -> bytes:
    file = network.with_suffix(".bin")
    return file.read_bytes() if file.is_file() else b""


def cost_of(found: Poses, reference: Poses, ties: npt.NDArray[np.bool_] | None = None) -> Cost:
    """Compare poses (n, individuals, K, 3) with those in float32; ties (n, individuals, K) are left out."""
    ties = np.zeros(reference.shape[:3], bool) if ties is None else ties
    cell = compare(found, reference, ties)
    likely = reference[..., 2] > 0.1
    clear = likely & np.isfinite(found[..., 0]) & ~ties
    distance = np.linalg.norm(found[..., :2] - reference[..., :2], axis=-1)[clear]
    p95 = float(np.percentile(distance, 95)) if distance.size else 0.0
    names = ("mean_px", "max_px", "max_likelihood", "keypoints", "missed", "frames")
    told = {name: cell[name] for name in names}
    return Cost(p95_px=round(p95, 4), ties=int((ties & likely).sum()), **told)
