"""How far a package's numbers may be from its source tool's: parity.json and its budget."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastpose.errors import ModelError

__all__ = ["PARITY", "Budget", "Parity", "read_parity"]

PARITY = "parity.json"
MEASURE = "fastpose verify"


@dataclass(frozen=True)
class Budget:
    """Distances that a package may have from its reference, px, on keypoints over 0.1 likelihood."""

    mean_px: float = 0.5
    max_px: float = 2.0

    def exceeded(self, cell: dict[str, Any]) -> str:
        """What is over the budget in the numbers of one device and precision; empty where nothing is."""
        for key, allowed in (("mean_px", self.mean_px), ("max_px", self.max_px)):
            found = cell.get(key)
            if not isinstance(found, (int, float)):
                return f"{key} is not known"
            if not found <= allowed:  # NaN is over every budget
                return f"{key} {found:.4g} is over the budget of {allowed:g} px"
        if cell.get("missed"):
            return f"{cell['missed']} keypoints are found on one side only"
        return ""


@dataclass(frozen=True)
class Parity:
    """The content of parity.json."""

    budget: Budget
    devices: dict[str, dict[str, dict[str, Any]]]
    """Device, precision: the numbers."""
    sha256: dict[str, str]
    """Of the files that were measured; empty where it is not known."""

    def problem(self, device: str = "cpu", precision: str = "fp32") -> str:
        """Why a device and precision is not to be trusted; empty where it is."""
        cell = self.devices.get(device, {}).get(precision)
        if cell is None or "not_run" in cell:
            return f"no numbers for {device} {precision}"
        reason = self.budget.exceeded(cell)
        return f"{device} {precision}: {reason}" if reason else ""

    def belongs_to(self, sha256: dict[str, str]) -> bool:
        """Whether the files with these hashes are those that were measured."""
        return all(sha256.get(name) == digest for name, digest in self.sha256.items())


def read_parity(folder: Path) -> Parity | None:
    """Read what ``fastpose verify`` found; None where it never ran.

    Raises
    ------
    ModelError
        The file is there, but damaged.
    """
    path = folder / PARITY
    if not path.is_file():
        return None
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        budget = Budget(**data.get("budget_px", {}))
        devices = {name: value for name, value in data.items() if name in ("cpu", "cuda")}
        return Parity(budget, devices, dict(data.get("sha256", {})))
    except (OSError, ValueError, TypeError, AttributeError) as error:
        reason = " ".join(str(error).split())
        raise ModelError(
            f"model package '{folder}': {PARITY} cannot be read ({reason}); make it again with: "
            f"{MEASURE} {folder}"
        ) from None
