"""A compiled protocol that acts on every frame, so that every frame has a reaction to be timed."""

from __future__ import annotations

from typing import Any

from fastpose import example_policy

__all__ = ["policy"]


def policy(rules: list[str], outputs: list[str], bodyparts: list[str]) -> Any:
    """The shipped example, for turns of any speed: in a recording no two headings are the same."""
    return example_policy.policy(
        rules, outputs, bodyparts, min_turn_deg_s=0.0, pulse_ms=0.2, min_likelihood=0.0
    )
