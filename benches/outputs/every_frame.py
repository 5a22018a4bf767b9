"""A compiled protocol that answers every frame with a pulse."""

from __future__ import annotations

from typing import Any

from fastpose import example_policy

__all__ = ["PULSE_MS", "policy"]

PULSE_MS = 4.0


def policy(rules: list[str], outputs: list[str], bodyparts: list[str]) -> Any:
    """The shipped example, for turns of any speed."""
    return example_policy.policy(
        rules, outputs, bodyparts, min_turn_deg_s=0.0, pulse_ms=PULSE_MS, min_likelihood=0.0
    )
