"""Distances at bf16 and fp16 from what is expected: what the tables of docs/reference/parity.md are made of.

bf16 runs in the engine, rounded by OpenVINO where the CPU has it not; over 0.2 px `fastpose optimize
--precision bf16` chooses the layers that stay in float32 first, on frames of its own. fp16 is emulated node
by node (`tools.oracles.half`). Ties at each precision, see Note [ties at a precision] in
`fastpose.rounding_ties`, are counted and left out.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from tools.oracles.half import half_maps

from fastpose import _core
from fastpose.assembly.backends import Device
from fastpose.assembly.decoders import make_decoder
from fastpose.assembly.network import NetworkOptions
from fastpose.errors import DeviceError, ModelError
from fastpose.input_sizes import tensor_sizes
from fastpose.model import Model
from fastpose.model_package import ModelPackage, read_model_package
from fastpose.optimizing import Options, optimize
from fastpose.rounding_ties import Maps, maps_of, ties_of_rounding
from fastpose.verify import compare

__all__ = ["BUDGET_PX", "COLUMNS", "Measured", "Told", "columns", "measured"]

BUDGET_PX = 0.2
ASKED_PX = 0.15
"""Of `optimize`, whose frames are others than those that are compared here."""
COLUMNS = (
    *("bf16 mean px", "bf16 max px", "bf16 ties", "layers in fp32"),
    *("fp16 mean px", "fp16 max px", "fp16 ties", "keypoints"),
)

Poses = npt.NDArray[np.float32]
Frames = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Told:
    """What a network should say."""

    frames: Frames
    """(n, H, W[, 3]) uint8."""
    poses: Poses
    """(n, individuals, K, 3)."""
    ties: npt.NDArray[np.bool_]
    """(n, individuals, K), at fp32."""


@dataclass(frozen=True)
class Measured:
    """Numbers as `fastpose.verify.compare` gives them; None where the runtime cannot even emulate bf16."""

    bf16: dict[str, Any] | None
    fp16: dict[str, Any]
    kept: str
    """Layers that stayed in float32 at bf16, of all with weights."""

    @property
    def good(self) -> bool:
        """Within the promise at both."""
        cells = [cell for cell in (self.bf16, self.fp16) if cell is not None]
        return all(cell["mean_px"] <= BUDGET_PX and cell["keypoints"] for cell in cells)


def measured(folder: Path, told: Told, optimise_on: Path | None) -> Measured:
    """Measure a package; over the budget at bf16 it is given a form that is within it.

    Parameters
    ----------
    folder : Path
        The package; what it holds at bf16 already is used.
    told : Told
    optimise_on : Path or None
        Frames for `optimize`; None: the package's own.
    """
    package = read_model_package(folder)
    exact = maps_of(package, told.frames, Device("cpu", "fp32"))
    bf16 = _at_bf16(package, told, exact)
    if bf16 is not None and (bf16["mean_px"] > BUDGET_PX or bf16["keypoints"] <= bf16["likely_ties"]):
        try:
            optimize(folder, Options("bf16", optimise_on, ASKED_PX, say=_say))
            bf16 = _at_bf16(package, told, exact)
        except ModelError as error:
            _say(str(error))
    maps = half_maps(package, told.frames)
    fp16 = _compared(package, told, exact, maps, _decoded(package, told.frames, maps))
    return Measured(bf16, fp16, _kept(folder))


def columns(found: Measured) -> tuple[str, ...]:
    """The cells of `COLUMNS`."""
    bf16 = ("not here",) * 3 if found.bf16 is None else _cells(found.bf16)
    everything = found.fp16["keypoints"] + found.fp16["likely_ties"]
    return (*bf16, found.kept, *_cells(found.fp16), str(everything))


def _cells(cell: dict[str, Any]) -> tuple[str, str, str]:
    if not cell["keypoints"]:
        return "-", "-", str(cell["likely_ties"])
    missed = f" ({cell['missed']} missed)" if cell["missed"] else ""
    return f"{cell['mean_px']:.3f}{missed}", f"{cell['max_px']:.2g}", str(cell["likely_ties"])


def _say(line: str) -> None:
    print(f"    {line}", flush=True)


def _at_bf16(package: ModelPackage, told: Told, exact: list[Maps]) -> dict[str, Any] | None:
    options = NetworkOptions("cpu", "bf16", emulated=True)
    try:
        maps = maps_of(package, told.frames, options.runs_on)
    except DeviceError:
        return None
    model = Model(package, options)
    poses = np.stack([model.estimate(frame).keypoints for frame in told.frames])
    return _compared(package, told, exact, maps, poses.reshape(len(poses), -1, *poses.shape[-2:]))


def _compared(
    package: ModelPackage, told: Told, exact: list[Maps], maps: list[Maps], poses: Poses
) -> dict[str, Any]:
    ties = told.ties | ties_of_rounding(package, exact, maps)
    cell = compare(poses, told.poses, ties)
    likely = told.poses[..., 2] >= cell["min_likelihood"]
    return cell | {"likely_ties": int((ties & likely).sum())}


def _decoded(package: ModelPackage, frames: Frames, maps: list[Maps]) -> Poses:
    """Poses (n, individuals, K, 3) in px of the frames, by the engine's decoder."""
    size = (frames.shape[2], frames.shape[1])
    image, tensor = tensor_sizes(package, None, size)
    kind: Literal["mono8", "rgb8"] = "mono8" if frames.ndim == 3 else "rgb8"
    stage = _core.Preprocessor(kind, size, tensor, image_size=image, colour=package.colour)
    decoder = make_decoder(package, [each.shape for each in maps[0]])
    shape = (package.count_of_individuals, len(package.bodyparts))
    return np.stack([decoder.run(each, shape, tensor_to_sensor=stage.tensor_to_sensor) for each in maps])


def _kept(folder: Path) -> str:
    try:
        forms = json.loads((folder / "optimized.json").read_text(encoding="utf-8"))["forms"]
    except OSError:
        return "0"
    return str(len(forms.get("bf16", {}).get("layers_in_fp32", ())))
