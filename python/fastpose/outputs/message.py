"""What messages say of an edge: the same words over every transport."""

from __future__ import annotations

import json
import time

__all__ = ["edge_message"]


def edge_message(output: str, *, high: bool, value: float | None = None) -> str:
    """One line of JSON: output, high, value (where there is one), sent_ns of the host's monotonic clock."""
    told: dict[str, object] = {"output": output, "high": high}
    if value is not None:
        told["value"] = value
    return json.dumps({**told, "sent_ns": time.monotonic_ns()})
