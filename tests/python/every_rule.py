"""A config with a rule of every kind, for tests of what must work with all of them."""

from __future__ import annotations

import copy
import os
from typing import Any

from benches.replay.every_rule import NOT_HERE, RULES, ZONES, kinds

from sample_config import BODYPARTS, SAMPLE

__all__ = ["NOT_HERE", "RULES", "ZONES", "every_rule", "kinds"]


def every_rule(
    *, classifier: str | os.PathLike[str] | None = None, plugin: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Return the sample config with a rule of every kind.

    Parameters
    ----------
    classifier : path-like, optional
        An ONNX file that takes ten numbers, x and y of the five body parts: adds a classifier rule.
    plugin : dict, optional
        Name and options of an installed plug-in: adds a rule of it.
    """
    config = copy.deepcopy(SAMPLE)
    config["calibration"] = {"px_per_mm": 2.0}
    config["zones"] |= copy.deepcopy(ZONES)
    config["rules"] |= copy.deepcopy(RULES)
    if classifier is not None:
        features = [{"positions": list(BODYPARTS)}]
        config["rules"]["classified"] = {
            **{"type": "classifier", "model": os.fspath(classifier), "features": features, "budget_ms": 1000},
        }
    if plugin is not None:
        config["rules"]["plugged"] = {"type": "plugin", **plugin}
    return config
