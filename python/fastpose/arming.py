"""Whether a model package may be armed: its parity with the tool it came from is within its budget."""

from __future__ import annotations

from fastpose.errors import ModelError
from fastpose.model_package import ModelPackage
from fastpose.parity import MEASURE, PARITY, read_parity

__all__ = ["parity_doubt", "parity_problem", "require_parity"]


def parity_problem(package: ModelPackage) -> str:
    """Why a package must not be armed: over its budget at fp32 on the CPU; empty where it may be."""
    parity = read_parity(package.folder)
    if parity is None or not parity.belongs_to(package.sha256):
        return ""
    found = parity.devices.get("cpu", {}).get("fp32")
    reason = parity.problem() if found is not None and "not_run" not in found else ""
    if not reason:
        return ""
    return (
        f"model package '{package.folder}': its poses are not those of the tool it came from ({reason}); "
        "import it again, or say accept_parity: true to use it as it is"
    )


def parity_doubt(package: ModelPackage, device: str, precision: str) -> str:
    """What the user should know about a package that may be armed; empty where all is well."""
    if device == "fake":
        return ""
    parity = read_parity(package.folder)
    way_out = f"run: {MEASURE} {package.folder}"
    if parity is None:
        return f"{package.name}: parity was never measured, there is no {PARITY}; {way_out}"
    if not parity.belongs_to(package.sha256):
        return f"{package.name}: {PARITY} is of another network; {way_out}"
    reason = parity.problem(device, "fp32" if precision == "auto" else precision)
    return f"{package.name}: parity: {reason}; {way_out}" if reason else ""


def require_parity(package: ModelPackage) -> None:
    """Raise ModelError for a package that is over its budget.

    A package that was never measured passes: `parity_doubt` says so where a user can read it.
    """
    problem = parity_problem(package)
    if problem:
        raise ModelError(problem)
