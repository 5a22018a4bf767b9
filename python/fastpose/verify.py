"""Runs a package's reference frames on what this machine has and writes parity.json: ``fastpose verify``."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from fastpose.assembly.network import NetworkOptions
from fastpose.config.model import package_folder
from fastpose.cuda.forms import FORMS
from fastpose.cuda.gpu import has_gpu, is_cuda
from fastpose.errors import DeviceError, ModelError
from fastpose.form_files import read_optimized
from fastpose.model import Model
from fastpose.model_forms import Precision
from fastpose.model_package import ModelPackage, read_model_package
from fastpose.parity import PARITY, Budget
from fastpose.rounding_ties import maps_of, ties_of_rounding
from fastpose.same_animals import in_order

__all__ = ["PRECISIONS", "Report", "compare", "verify"]

REFERENCE = "reference.npz"
MIN_LIKELIHOOD = 0.1
PRECISIONS: dict[str, tuple[str, ...]] = {
    "cpu": ("fp32", "bf16", "int8"),
    "cuda": ("fp32", "fp16", "bf16", "int8"),
}

Poses = npt.NDArray[np.float32]
Cell = dict[str, Any]


@dataclass(frozen=True)
class _Reference:
    frames: npt.NDArray[np.uint8]
    poses: Poses
    """(n, individuals, K, 3)."""
    ties: npt.NDArray[np.bool_]
    made_by: str


@dataclass(frozen=True)
class Report:
    """What was measured.

    Attributes
    ----------
    cells : dict
        Device and precision: mean_px, max_px, max_likelihood, keypoints, ties, missed, frames; emulated where
        the runtime rounded in the place of a CPU without such instructions; or not_run. Ties at bf16 on the
        CPU are those of Note [ties at a precision] as well.
    problem : str
        Why the package does not arm; empty where it does.
    """

    folder: Path
    budget: Budget
    cells: dict[tuple[str, str], Cell]
    made_by: str
    problem: str


def verify(
    folder: str | os.PathLike[str],
    *,
    device: str | None = None,
    precisions: Sequence[str] | None = None,
    budget: Budget | None = None,
) -> Report:
    """Compare a package with its reference and write parity.json; over its budget it does not arm.

    Parameters
    ----------
    folder : path-like
        The package, or ``builtin:NAME``.
    device : str, optional
        Default: every device at hand.
    precisions : sequence of str, optional
        Default: every precision of the device that the package has a form for; one that the device lacks is
        noted. One that the CPU lacks and the runtime emulates is measured all the same, and says so.
    budget : Budget, optional
        For fp32; default: 0.5 px mean, 2 px max.

    Raises
    ------
    ModelError
        The package or its reference is missing or damaged.
    DeviceError
        A device or precision was asked for that is not there.
    """
    package = read_model_package(package_folder(folder))
    reference = _read_reference(package)
    budget = budget or Budget()
    wanted = _wanted(package, device, precisions)
    cells = {key: _measure(package, reference, *key, asked=precisions is not None) for key in wanted}
    problem = next((budget.exceeded(cell) for (_, name), cell in cells.items() if name == "fp32"), "")
    report = Report(package.folder, budget, cells, reference.made_by, problem)
    _write(package, report)
    return report


def compare(found: Poses, reference: Poses, ties: npt.NDArray[np.bool_]) -> Cell:
    """Distances between poses (n, individuals, K, 3).

    Pixels are of keypoints whose likelihood in the reference is over 0.1; where there are none, of all, and
    min_likelihood says so. Ties (n, individuals, K) are counted and left out. A keypoint that only one of
    both has is missed. Individuals are compared with the nearest of the reference.
    """
    found = in_order(found, reference)
    here, there = (np.isfinite(poses[..., :2]).all(-1) for poses in (found, reference))
    floor = MIN_LIKELIHOOD if (there & (reference[..., 2] > MIN_LIKELIHOOD)).any() else 0.0
    clear = there & ~ties & (reference[..., 2] >= floor)
    distance = np.linalg.norm(found[..., :2] - reference[..., :2], axis=-1)[clear & here]
    difference = np.abs(found[..., 2] - reference[..., 2])[here & there & ~ties]
    return {
        "mean_px": _number(distance.mean() if distance.size else 0),
        "max_px": _number(distance.max(initial=0)),
        "max_likelihood": _number(difference.max(initial=0)),
        "min_likelihood": floor,
        "keypoints": int(distance.size),
        "ties": int(ties.sum()),
        "missed": int(
            (clear & ~here).sum() + (here & ~there & ~ties & (found[..., 2] > MIN_LIKELIHOOD)).sum()
        ),
        "frames": len(reference),
    }


def _number(value: Any) -> float:
    return float(f"{float(value):.4g}")


def _wanted(
    package: ModelPackage, device: str | None, precisions: Sequence[str] | None
) -> list[tuple[str, str]]:
    devices = [device] if device is not None else ["cpu", *(["cuda"] if has_gpu() else [])]
    for name in devices:
        if _kind(name) not in PRECISIONS:
            raise DeviceError(f"device is {name!r}; allowed: {', '.join(PRECISIONS)}")
    all_of = {name: _had_by(package, _kind(name)) for name in devices}
    pairs = [(name, precision) for name in devices for precision in precisions or all_of[name]]
    for name, precision in pairs:
        if precision not in PRECISIONS[_kind(name)]:
            allowed = ", ".join(PRECISIONS[_kind(name)])
            raise DeviceError(f"precision is {precision!r}; allowed on {name}: {allowed}")
    return pairs


def _kind(device: str) -> str:
    """``cuda`` for cuda:N."""
    return "cuda" if is_cuda(device) else device


def _had_by(package: ModelPackage, kind: str) -> list[str]:
    """Precisions that the package has a form for; every package has floats."""
    forms = read_optimized(package.folder)
    needed = FORMS if kind == "cuda" else {"int8": "int8"}
    return [precision for precision in PRECISIONS[kind] if needed.get(precision, "") in {"", *forms}]


def _measure(
    package: ModelPackage, reference: _Reference, device: str, precision: str, *, asked: bool
) -> Cell:
    options = NetworkOptions(device, cast(Precision, precision))
    try:
        return _compared(package, reference, options)
    except DeviceError as error:
        if precision == "fp32":
            raise
        reason = error
    try:
        return _compared(package, reference, replace(options, emulated=True)) | {"emulated": True}
    except DeviceError:
        if asked:
            raise reason from None
        return {"not_run": str(reason)}


def _compared(package: ModelPackage, reference: _Reference, options: NetworkOptions) -> Cell:
    model = Model(package, options)
    poses = np.stack([model.estimate(frame).keypoints for frame in reference.frames])
    return compare(poses, reference.poses, reference.ties | _ties_at(package, reference.frames, options))


def _ties_at(
    package: ModelPackage, frames: npt.NDArray[np.uint8], options: NetworkOptions
) -> npt.NDArray[np.bool_]:
    """See Note [ties at a precision]; none where the network's maps do not come to the CPU."""
    if options.precision != "bf16" or options.device != "cpu" or package.detector is not None:
        return np.zeros((len(frames), package.count_of_individuals, len(package.bodyparts)), bool)
    exact = maps_of(package, frames, replace(options, precision="fp32").runs_on)
    return ties_of_rounding(package, exact, maps_of(package, frames, options.runs_on))


def _read_reference(package: ModelPackage) -> _Reference:
    path = package.folder / REFERENCE
    try:
        with np.load(path, allow_pickle=False) as arrays:
            reference = _reference_of({name: arrays[name] for name in arrays.files})
    except (OSError, ValueError, KeyError, EOFError) as error:
        reason = " ".join(str(error).split())
        raise ModelError(
            f"model package '{package.folder}': {REFERENCE} cannot be read ({reason}); import it again"
        ) from None
    shape = reference.poses.shape
    needed = (len(reference.frames), package.count_of_individuals, len(package.bodyparts), 3)
    if shape != needed or reference.ties.shape != shape[:3]:
        raise ModelError(
            f"model package '{package.folder}': poses of {REFERENCE} have shape {list(shape)}, the package "
            f"needs {list(needed)}; import it again"
        )
    return reference


def _reference_of(arrays: dict[str, npt.NDArray[Any]]) -> _Reference:
    poses = arrays["poses"] if "poses" in arrays else arrays["keypoints"][:, None]
    ties = arrays.get("ties", np.zeros(poses.shape[:-1], bool))
    return _Reference(arrays["frames"], poses.astype(np.float32), ties, str(arrays.get("made_by", "")))


def _write(package: ModelPackage, report: Report) -> None:
    """Write parity.json; what was measured before on other devices of the same files stays."""
    path = package.folder / PARITY
    before = _measured_before(path, package)
    content: dict[str, Any] = {
        "reference": report.made_by or before.get("reference", "unknown"),
        "budget_px": {"mean_px": report.budget.mean_px, "max_px": report.budget.max_px},
        "sha256": package.sha256,
        **{kind: dict(before.get(kind, {})) for kind in PRECISIONS if kind == "cpu" or kind in before},
    }
    for (device, precision), cell in report.cells.items():
        found = content.setdefault(_kind(device), {})
        if "not_run" not in cell or precision not in found:
            found[precision] = cell
    try:
        path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise ModelError(f"'{path}' cannot be written ({error.strerror})") from None


def _measured_before(path: Path, package: ModelPackage) -> dict[str, Any]:
    try:
        before = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    same = isinstance(before, dict) and before.get("sha256", package.sha256) == package.sha256
    return before if same else {}
