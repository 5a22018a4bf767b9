"""Whether a model package may be armed: within its budgets, against its source tool and against fp32."""

from __future__ import annotations

from fastpose.cpu import this_cpu
from fastpose.errors import ModelError
from fastpose.model_forms import OPTIMIZE, OPTIMIZED, form_of
from fastpose.model_package import ModelPackage
from fastpose.parity import MEASURE, PARITY, read_parity

__all__ = ["parity_doubt", "parity_problem", "require_parity"]


def parity_problem(package: ModelPackage, precision: str = "fp32") -> str:
    """Why a package must not be armed; empty where it may be.

    Its poses at fp32 on the CPU are over the budget against the tool it came from (parity.json), or those of
    the form that would run at this precision are over theirs against fp32 (optimized.json).

    Parameters
    ----------
    package : ModelPackage
    precision : str
        As the config says it; "auto" takes no form that is over its budget.

    Raises
    ------
    ModelError
        A file of measurements is damaged, or there is no such form.
    """
    return _over_source(package) or _over_fp32(package, precision)


def _over_source(package: ModelPackage) -> str:
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


def _over_fp32(package: ModelPackage, precision: str) -> str:
    form = form_of(package, precision, this_cpu())
    if not form.over_budget:
        return ""
    return (
        f"model package '{package.folder}': form {form.name} in {OPTIMIZED} is not to be used "
        f"({form.over_budget}); make it again with: {OPTIMIZE} {package.folder}, or run at precision "
        "auto or fp32, or say accept_parity: true to use it as it is"
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
    reason = parity.problem(device, precision if precision == "bf16" else "fp32")  # int8 has its own budget
    return f"{package.name}: parity: {reason}; {way_out}" if reason else ""


def require_parity(package: ModelPackage, precision: str = "fp32") -> None:
    """Raise ModelError for a package that is over its budget at this precision; see `parity_problem`.

    A package that was never measured passes: `parity_doubt` says so where a user can read it.
    """
    problem = parity_problem(package, precision)
    if problem:
        raise ModelError(problem)
